"""The small EMR's log-in: codes, tokens and their end, by SMART App Launch 2 and OpenID Connect.

It has no passwords: the user of the EMR's page, or whom the standalone page chooses, is who logs
in.  Everything else is as a hospital's would be: PKCE, codes good once, signed id_tokens, refresh.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from assistant.record.encounter import Encounter

CODE_SECONDS = 60.0
MOST = 1_000
"""Launches, codes or tokens that are kept; the oldest go first."""

KEY_ID = "sandbox"
ALGORITHM = "ES256"
Value = TypeVar("Value")


class LogInRefused(Exception):
    """What is asked is not as the specification has it; the message is one of OAuth's error codes
    (RFC 6749, 4.1.2.1 and 5.2)."""


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """Who, with which stay open, and how long an access token is good (seconds)."""

    user: Mapping[str, str]
    stay: Encounter
    seconds: int


@dataclass(frozen=True, slots=True)
class _Code:
    who: LoggedIn
    asked: Mapping[str, str]
    until: float


class LogIn:
    """The log-in of one sandbox at ``own``, with the one application that is registered there."""

    def __init__(self, own: str, application: str, client: str = "bedside") -> None:
        from cryptography.hazmat.primitives.asymmetric import ec

        self.own = own
        self.application = application
        self.client = client
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._lock = threading.Lock()
        self._launches: dict[str, LoggedIn] = {}
        self._codes: dict[str, _Code] = {}
        self._refresh: dict[str, LoggedIn] = {}

    @property
    def fhir(self) -> str:
        """The FHIR server that launches come from (``iss`` of a launch)."""
        return f"{self.own}/fhir"

    def configuration(self) -> dict[str, Any]:
        """``.well-known/smart-configuration``."""
        return {
            "issuer": self.own,
            "jwks_uri": f"{self.own}/log-in/keys",
            "authorization_endpoint": f"{self.own}/log-in/authorize",
            "token_endpoint": f"{self.own}/log-in/token",
            "end_session_endpoint": f"{self.own}/log-in/out",
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "code_challenge_methods_supported": ["S256"],
            "response_types_supported": ["code"],
            "scopes_supported": ["openid", "fhirUser", "launch", "launch/patient", "patient/*.rs"],
            "capabilities": [
                "launch-ehr",
                "launch-standalone",
                "client-public",
                "sso-openid-connect",
                "context-ehr-patient",
                "context-ehr-encounter",
                "context-standalone-patient",
                "permission-patient",
                "permission-v2",
            ],
        }

    def keys(self) -> dict[str, Any]:
        """The public key (JWKS)."""
        import jwt

        public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self._key.public_key()))
        return {"keys": [{**public, "kid": KEY_ID, "use": "sig", "alg": ALGORITHM}]}

    def launch(self, who: LoggedIn) -> str:
        """The launch id of a user who opens the application from a stay."""
        return self._kept(self._launches, who)

    def launched(self, launch: str) -> LoggedIn:
        """Whose launch it is, once.  Raises `LogInRefused`."""
        with self._lock:
            who = self._launches.pop(launch, None)
        if who is None:
            raise LogInRefused("invalid_request")
        return who

    def check(self, asked: Mapping[str, str]) -> None:
        """Raises `LogInRefused` where an authorization request is not ours to answer."""
        back = asked.get("redirect_uri", "")
        if asked.get("client_id") != self.client or not back.startswith(f"{self.application}/"):
            raise LogInRefused("unauthorized_client")
        if asked.get("response_type") != "code":
            raise LogInRefused("unsupported_response_type")
        challenged = asked.get("code_challenge_method") == "S256" and asked.get("code_challenge")
        if not challenged or asked.get("aud", "").rstrip("/") != self.fhir:
            raise LogInRefused("invalid_request")

    def code(self, who: LoggedIn, asked: Mapping[str, str]) -> str:
        """A code for an authorization request.  Raises `LogInRefused`."""
        self.check(asked)
        return self._kept(self._codes, _Code(who, dict(asked), time.monotonic() + CODE_SECONDS))

    def tokens(self, form: Mapping[str, str]) -> dict[str, Any]:
        """The answer of the token endpoint.  Raises `LogInRefused`."""
        grant = form.get("grant_type")
        if grant == "refresh_token":
            with self._lock:
                who = self._refresh.pop(form.get("refresh_token", ""), None)
            if who is None:
                raise LogInRefused("invalid_grant")
            return self._answer(who, None)
        if grant != "authorization_code":
            raise LogInRefused("unsupported_grant_type")
        with self._lock:
            code = self._codes.pop(form.get("code", ""), None)
        if code is None or code.until < time.monotonic() or not _holds(code.asked, form):
            raise LogInRefused("invalid_grant")
        return self._answer(code.who, code.asked)

    def end_all(self) -> None:
        """End all log-ins: what was given stays good until it expires, nothing is renewed."""
        with self._lock:
            for kept in (self._launches, self._codes, self._refresh):
                kept.clear()

    def _answer(self, who: LoggedIn, asked: Mapping[str, str] | None) -> dict[str, Any]:
        stay = who.stay
        return {
            "access_token": secrets.token_urlsafe(24),
            "token_type": "Bearer",
            "expires_in": who.seconds,
            "scope": "openid fhirUser launch patient/*.rs",
            "refresh_token": self._kept(self._refresh, who),
            "patient": stay.patient.id,
            "encounter": stay.id,
            "id_token": self._id_token(who, (asked or {}).get("nonce", "")),
        }

    def _id_token(self, who: LoggedIn, nonce: str) -> str:
        import jwt

        now = int(time.time())
        claims = {
            "iss": self.own,
            "aud": self.client,
            "sub": who.user["id"],
            "name": who.user["name"],
            "fhirUser": f"{self.fhir}/Practitioner/{who.user['id']}",
            "roles": [who.user["role"]],
            "iat": now,
            "exp": now + 300,
        }
        if nonce:
            claims["nonce"] = nonce
        return jwt.encode(claims, self._key, ALGORITHM, headers={"kid": KEY_ID})

    def _kept(self, kept: dict[str, Value], value: Value) -> str:
        name = secrets.token_urlsafe(24)
        with self._lock:
            while len(kept) >= MOST:
                kept.pop(next(iter(kept)))
            kept[name] = value
        return name


def _holds(asked: Mapping[str, str], form: Mapping[str, str]) -> bool:
    """Whether the code is taken by who asked for it (RFC 7636, 4.6)."""
    digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    same = hmac.compare_digest(challenge.encode(), asked["code_challenge"].encode())
    return same and form.get("redirect_uri") == asked["redirect_uri"]
