"""The authorization code flow with PKCE (SMART App Launch 2; RFC 7636), from launch to session."""

from __future__ import annotations

import base64
import hashlib
import re
import time
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

import httpx
from starlette.requests import Request

from assistant.interop.settings import SmartSettings
from assistant.interop.smart.identity_token import claims
from assistant.interop.smart.problem import LaunchRefused
from assistant.interop.smart.provider import Provider
from assistant.interop.smart.rights import role, user_id
from assistant.interop.smart.session import Launch, Session, Sessions

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")


@dataclass
class Flow:
    """The launches of one application."""

    settings: SmartSettings
    sessions: Sessions
    transport: httpx.AsyncBaseTransport | None = None
    _providers: dict[str, Provider] = field(default_factory=dict)

    def provider(self, base: str) -> Provider:
        """The server of this base.  Raises `LaunchRefused` for one that is not in the settings."""
        known = {one.rstrip("/"): one for one in self.settings.servers}
        name = base.rstrip("/")
        if name not in known:
            raise LaunchRefused(
                "这个病历系统没有登记，不能由它打开。(This server is not registered here.)"
            )
        return self._providers.setdefault(name, Provider(known[name], self.transport))

    def address(self, request: Request) -> str:
        """Under which the doctor's browser reaches this application, without a slash at its end."""
        return (self.settings.address or str(request.base_url)).rstrip("/")

    async def begin(self, base: str, launch: str, redirect: str) -> tuple[str, Launch]:
        """(address to send the doctor to, the launch); ``launch`` is empty where the doctor came
        by herself (standalone).  Raises `LaunchRefused`."""
        provider = self.provider(base)
        endpoints = await provider.endpoints()
        state, begun = self.sessions.begin(provider.base, redirect)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(begun.verifier.encode()).digest())
        scopes = list(self.settings.scopes)
        scopes.append("launch" if launch else "launch/patient")
        query = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": redirect,
            "scope": " ".join(scopes),
            "state": state,
            "nonce": begun.nonce,
            "aud": provider.base,
            "code_challenge": challenge.rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            **({"launch": launch} if launch else {}),
        }
        mark = "&" if "?" in endpoints.authorize else "?"
        return f"{endpoints.authorize}{mark}{urlencode(query)}", begun

    async def finish(self, launch: Launch, code: str) -> Session:
        """The session of a doctor who has logged in.  Raises `LaunchRefused`."""
        provider = self.provider(launch.base)
        endpoints = await provider.endpoints()
        answer = await self._tokens(
            provider,
            endpoints.token,
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": launch.redirect,
                "code_verifier": launch.verifier,
            },
        )
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise LaunchRefused("登录服务没有给出身份凭证。(There is no id_token.)", 502)
        client = self.settings.client_id
        found = await claims(token, provider, endpoints, client, launch.nonce)
        patient, encounter = answer.get("patient"), answer.get("encounter")
        if not isinstance(patient, str) or not _ID.fullmatch(patient):
            raise LaunchRefused(
                "没有选定患者：请在病历中打开一名患者后再启动。"
                "(No patient is chosen: open a patient's record first.)"
            )
        stay = encounter if isinstance(encounter, str) and _ID.fullmatch(encounter) else ""
        now = time.time()
        most = now + self.settings.session_minutes * 60
        return Session(
            actor_id=user_id(found),
            role=role(found, self.settings.role_claim, self.settings.roles),
            base=provider.base,
            patient_id=patient,
            encounter_id=stay,
            until=min(now + _lifetime(answer), most),
            most=most,
            endpoints=endpoints,
            subject=found["sub"],
            refresh_token=_text(answer, "refresh_token"),
        )

    async def refreshed(self, session: Session) -> Session:
        """The session with new access, for the same doctor and patient.  Raises `LaunchRefused`."""
        if not session.refresh_token:
            raise LaunchRefused(
                "会话已过期，请从病历系统重新打开。(The session has ended; open it again.)", 401
            )
        provider = self.provider(session.base)
        form = {"grant_type": "refresh_token", "refresh_token": session.refresh_token}
        answer = await self._tokens(provider, session.endpoints.token, form)
        token = answer.get("id_token")
        if isinstance(token, str):
            client = self.settings.client_id
            found = await claims(token, provider, session.endpoints, client, None)
            if found["sub"] != session.subject:
                raise LaunchRefused("身份已变，请重新登录。(The user has changed.)", 401)
        if answer.get("patient", session.patient_id) != session.patient_id:
            raise LaunchRefused("患者已变，请重新打开。(The patient has changed.)", 401)
        return replace(
            session,
            until=min(time.time() + _lifetime(answer), session.most),
            refresh_token=_text(answer, "refresh_token") or session.refresh_token,
        )

    async def _tokens(
        self, provider: Provider, address: str, form: dict[str, str]
    ) -> dict[str, Any]:
        secret = self.settings.client_secret.get_secret_value()
        client = self.settings.client_id
        pair = (client, secret) if secret else None
        return await provider.exchange(
            address, form if pair else {**form, "client_id": client}, pair
        )


def _lifetime(answer: dict[str, Any]) -> float:
    """Seconds; five minutes where the answer does not say."""
    value = answer.get("expires_in")
    valid = isinstance(value, int | float) and not isinstance(value, bool)
    return float(min(max(value, 0), 86_400)) if valid and value is not None else 300.0


def _text(answer: dict[str, Any], name: str) -> str:
    value = answer.get(name)
    return value if isinstance(value, str) else ""
