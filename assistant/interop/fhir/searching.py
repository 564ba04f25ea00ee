"""A patient's resources from a FHIR server, page by page, within limits.

A server may be slow, down, or lie: a search ends after so many pages, resources, bytes and seconds;
a page that comes twice ends it; a page on another host or path is never asked for, and redirects
are not followed.  What could not be had is a problem, and the rest is still read.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urljoin, urlsplit

import httpx

from assistant.interop.fhir.body import BodyInvalid, parsed
from assistant.interop.fhir.problem import Problems

SEARCHES: Mapping[str, str] = {
    "Condition": "patient",
    "Observation": "patient",
    "AllergyIntolerance": "patient",
    "MedicationRequest": "patient",
    "MedicationAdministration": "patient",
    "MedicationStatement": "patient",
    "Procedure": "patient",
    "DiagnosticReport": "patient",
    "DocumentReference": "patient",
    "Composition": "patient",
    "ServiceRequest": "patient",
}
"""What is searched, and by which parameter."""

_INCLUDES = {
    kind: f"{kind}:medication"
    for kind in ("MedicationRequest", "MedicationAdministration", "MedicationStatement")
}
_ACCEPT = "application/fhir+json, application/json;q=0.9"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is asked of a server for one record."""

    pages: int = 20
    """Of one search."""
    resources: int = 10_000
    page_bytes: int = 16_000_000
    page_seconds: float = 10.0
    seconds: float = 60.0
    """For all searches together."""
    page_size: int = 200


class ServerFailed(Exception):
    """The server gave nothing that can be used; the message says what to do."""


@dataclass
class Search:
    """One record's searches; ``resources`` and ``problems`` fill on the way."""

    base: str
    token: str = ""
    limits: Limits = field(default_factory=Limits)
    transport: httpx.AsyncBaseTransport | None = None
    resources: list[dict[str, Any]] = field(default_factory=list)
    problems: Problems = field(default_factory=Problems)

    async def record(self, patient_id: str, encounter_id: str) -> None:
        """Read the patient and the stay, then search for all that is read of a patient.

        Raises `ServerFailed` where not even the patient and the stay could be read.
        """
        until = time.monotonic() + self.limits.seconds
        headers = {"Accept": _ACCEPT}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        async with httpx.AsyncClient(
            headers=headers,
            timeout=self.limits.page_seconds,
            follow_redirects=False,
            transport=self.transport,
            trust_env=False,
        ) as client:
            for kind, identifier in (("Patient", patient_id), ("Encounter", encounter_id)):
                address = f"{self.base.rstrip('/')}/{kind}/{quote(identifier, safe='')}"
                found = await self._page(client, address, until)
                if found.get("resourceType") != kind or found.get("id") != identifier:
                    raise ServerFailed(
                        f"FHIR 服务器给出的不是所要的 {kind}，请核对地址和编号。"
                        f"(The server gave another resource than the {kind} asked for.)"
                    )
                self.resources.append(found)
            for kind, parameter in SEARCHES.items():
                await self._search(client, kind, {parameter: patient_id}, until)

    async def _search(
        self, client: httpx.AsyncClient, kind: str, query: dict[str, str], until: float
    ) -> None:
        asked = {**query, "_count": str(self.limits.page_size)}
        if kind in _INCLUDES:
            asked["_include"] = _INCLUDES[kind]
        address: str | None = f"{self.base.rstrip('/')}/{kind}?{urlencode(asked)}"
        seen: set[str] = set()
        while address is not None:
            if (stop := self._stop(address, seen, kind, until)) is not None:
                self.problems.add(kind, "warning", *stop)
                return
            seen.add(address)
            try:
                page = await self._page(client, address, until)
            except ServerFailed as error:
                self.problems.add(kind, "warning", "server", str(error))
                return
            self._take(kind, page)
            address = _next(page, address)

    def _stop(
        self, address: str, seen: set[str], kind: str, until: float
    ) -> tuple[str, str] | None:
        """(code, detail) of why no further page is asked for; None to go on."""
        if address in seen:
            return (
                "cycle",
                "分页出现循环，其余未读。(The pages go in a circle; the rest was not read.)",
            )
        if not self._is_ours(address):
            return (
                "host",
                "下一页在别的主机或路径，未读取。(The next page is elsewhere; it was not read.)",
            )
        if len(seen) >= self.limits.pages or len(self.resources) >= self.limits.resources:
            return "pages", "页数过多，其余未读。(Too many pages; the rest was not read.)"
        if time.monotonic() >= until:
            return "time", "时间已到，其余未读。(Time is up; the rest was not read.)"
        return None

    def _is_ours(self, address: str) -> bool:
        """Whether an address lies on the server, below its base."""
        try:
            mine, other = urlsplit(self.base), urlsplit(address)
            same = (mine.scheme, mine.hostname, mine.port) == (
                other.scheme,
                other.hostname,
                other.port,
            )
        except ValueError:
            return False
        path = mine.path.rstrip("/")
        inside = other.path == path or other.path.startswith(f"{path}/")
        return same and inside and not other.username and "/.." not in other.path

    def _take(self, kind: str, page: dict[str, Any]) -> None:
        entries = page.get("entry")
        room = self.limits.resources - len(self.resources)
        for entry in entries[:room] if isinstance(entries, list) else ():
            if isinstance(entry, dict) and isinstance(entry.get("resource"), dict):
                self.resources.append(entry)

    async def _page(self, client: httpx.AsyncClient, address: str, until: float) -> dict[str, Any]:
        """One answer as JSON.  Raises `ServerFailed`."""
        left = min(self.limits.page_seconds, until - time.monotonic())
        try:
            async with asyncio.timeout(max(left, 0.0)):
                async with client.stream("GET", address) as answer:
                    if answer.status_code != 200:
                        raise ServerFailed(_status(answer.status_code))
                    data = bytearray()
                    async for chunk in answer.aiter_bytes():
                        data += chunk
                        if len(data) > self.limits.page_bytes:
                            raise ServerFailed(
                                "FHIR 服务器的一页过大，未读取。(A page is too large; not read.)"
                            )
        except (TimeoutError, httpx.TimeoutException):
            raise ServerFailed(
                "FHIR 服务器没有及时应答，请稍后重试。(The server did not answer in time.)"
            ) from None
        except httpx.HTTPError as error:
            raise ServerFailed(
                f"无法连接 FHIR 服务器，请检查地址和网络。({type(error).__name__})"
            ) from None
        try:
            return parsed(bytes(data))
        except (BodyInvalid, json.JSONDecodeError):
            raise ServerFailed(
                "FHIR 服务器的应答不是有效的 JSON 资源。(The answer is no resource in JSON.)"
            ) from None


def _status(status: int) -> str:
    if status in (401, 403):
        return (
            f"FHIR 服务器拒绝访问（{status}），请检查令牌及其权限。"
            "(The server refused; check the token and its scopes.)"
        )
    return f"FHIR 服务器应答 {status}，未读取。(The server answered {status}; not read.)"


def _next(page: dict[str, Any], address: str) -> str | None:
    links = page.get("link")
    for link in links if isinstance(links, list) else ():
        if isinstance(link, dict) and link.get("relation") == "next":
            url = link.get("url")
            try:
                return urljoin(address, url) if isinstance(url, str) else None
            except ValueError:
                return "invalid:"
    return None
