"""Reads from the client's FHIR server what the prefetch lacks, within bounds.

Only servers that the settings allow are asked, no redirect is followed, and a next page has to lie
under the same base address: an answer cannot lead elsewhere.  Time, pages and bytes are counted
over the whole call.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

from assistant.interop.hooks.refusal import DataMissing, NotAllowed
from assistant.interop.settings import HookSettings

Resource = dict[str, Any]


def allowed_server(address: str, allowed: Collection[str]) -> str:
    """The base address, without a slash at its end.  Raises `NotAllowed`."""
    base = address.rstrip("/")
    if base not in {server.rstrip("/") for server in allowed}:
        raise NotAllowed(
            "不允许访问这个 fhirServer，请管理员加入设置 hooks。(This fhirServer is not allowed; "
            "the administrator may add it to the settings of hooks.)"
        )
    return base


class Fetching:
    """One call's reading of one server."""

    def __init__(self, base: str, token: str, settings: HookSettings) -> None:
        self._base = base
        self._headers = {"Accept": "application/fhir+json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._settings = settings
        self._bytes = 0

    async def all(self, queries: Mapping[str, str]) -> dict[str, list[Resource]]:
        """The resources of each query, all at once.  Raises `DataMissing`."""
        import httpx

        limits = httpx.Limits(max_connections=8)
        try:
            async with (
                asyncio.timeout(self._settings.fetch_seconds),
                httpx.AsyncClient(
                    follow_redirects=False,
                    timeout=self._settings.fetch_seconds,
                    limits=limits,
                    trust_env=False,
                    headers=self._headers,
                ) as http,
                asyncio.TaskGroup() as group,
            ):
                tasks = {
                    name: group.create_task(self._pages(http, query))
                    for name, query in queries.items()
                }
            return {name: task.result() for name, task in tasks.items()}
        except TimeoutError:
            raise DataMissing(
                "FHIR 服务器未在时限内答复。(The FHIR server did not answer in time.)"
            ) from None
        except BaseExceptionGroup as group_error:
            missing = group_error.subgroup(DataMissing)
            if missing is not None:
                raise _first(missing) from None
            if group_error.subgroup((httpx.HTTPError, httpx.InvalidURL)) is not None:
                raise DataMissing(
                    "FHIR 服务器无法访问。(The FHIR server cannot be reached.)"
                ) from None
            raise

    async def _pages(self, http: Any, query: str) -> list[Resource]:
        address: str | None = f"{self._base}/{query}"
        seen: set[str] = set()
        found: list[Resource] = []
        while address is not None:
            if address in seen or len(seen) >= self._settings.fetch_pages:
                raise DataMissing(
                    "FHIR 服务器的分页有环或过多。(The pages of the FHIR server go in circles or "
                    "are too many.)"
                )
            seen.add(address)
            resource = await self._one(http, address)
            if resource is None:
                return found
            found.append(resource)
            address = self._next(resource)
        return found

    def _next(self, resource: Resource) -> str | None:
        if resource.get("resourceType") != "Bundle":
            return None
        links = resource.get("link")
        for link in links if isinstance(links, list) else []:
            if isinstance(link, dict) and link.get("relation") == "next":
                return self._under_base(str(link.get("url", "")))
        return None

    def _under_base(self, address: str) -> str:
        """A next page is of the same server; a relative one begins at the base."""
        if not urlsplit(address).scheme and not address.startswith("//"):
            address = f"{self._base}/{address.lstrip('/')}"
        ours, theirs = urlsplit(self._base), urlsplit(address)
        path = theirs.path
        below = path == ours.path or path.startswith(f"{ours.path.rstrip('/')}/")
        same_place = (ours.scheme, ours.netloc) == (theirs.scheme, theirs.netloc)
        if not (same_place and below) or ".." in path or "\\" in address:
            raise DataMissing(
                "FHIR 服务器的下一页指向别处。(The next page of the FHIR server leads elsewhere.)"
            )
        return address

    async def _one(self, http: Any, address: str) -> Resource | None:
        async with http.stream("GET", address) as answer:
            if answer.status_code in (404, 410):
                return None
            if answer.status_code != 200:
                raise DataMissing(
                    f"FHIR 服务器答复 {answer.status_code}。(The FHIR server answered "
                    f"{answer.status_code}.)"
                )
            body = bytearray()
            async for piece in answer.aiter_bytes():
                body += piece
                self._bytes += len(piece)
                if self._bytes > self._settings.fetch_bytes:
                    raise DataMissing("FHIR 服务器的数据过大。(The FHIR server gave too much.)")
        try:
            resource = json.loads(bytes(body))
        except (ValueError, RecursionError):
            resource = None
        if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
            raise DataMissing("FHIR 服务器的答复不是 FHIR 资源。(The answer is no FHIR resource.)")
        return resource


def _first(group: BaseExceptionGroup[Any]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
