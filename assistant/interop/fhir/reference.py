"""Who points to whom: references between the resources that came together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

from assistant.interop.fhir.element import Element, one_line
from assistant.interop.fhir.problem import Problems

MOST_RESOURCES = 20_000
MOST_NESTED = 3
_RELATIVE = re.compile(r"([A-Z][A-Za-z]{1,63})/([A-Za-z0-9.\-]{1,64})(?:/_history/[^/]+)?")
_TYPE = re.compile(r"[A-Z][A-Za-z]{1,63}")
_ID = re.compile(r"[A-Za-z0-9.\-]{1,64}")


def relative(reference: str) -> tuple[str, str] | None:
    """(type, id) of ``Patient/p1`` or ``https://any/fhir/Patient/p1``; None for others."""
    path = reference
    if reference.startswith(("http://", "https://")):
        try:
            path = "/".join(urlsplit(reference).path.split("/_history/")[0].split("/")[-2:])
        except ValueError:
            return None
    found = _RELATIVE.fullmatch(path)
    return (found[1], found[2]) if found else None


class Resources:
    """The resources of one reading, found by type and id, and by the fullUrl of their entry."""

    def __init__(self, given: Iterable[Any], problems: Problems) -> None:
        self._problems = problems
        self._by_name: dict[tuple[str, str], Element] = {}
        self._by_url: dict[str, Element] = {}
        self._all: list[Element] = []
        for number, item in enumerate(given):
            if not self._take(item, f"[{number}]", 0):
                break

    def __iter__(self) -> Iterator[Element]:
        return iter(self._all)

    def of_type(self, name: str) -> list[Element]:
        """All of one type, in the order they came."""
        return [r for r in self._all if r.data.get("resourceType") == name]

    def find(self, name: str, identifier: str) -> Element | None:
        """The resource of this type and id."""
        return self._by_name.get((name, identifier))

    def target(self, reference: Element, of: Element) -> Element | None:
        """What a Reference of ``of`` points to, where that came along or is contained."""
        to = reference.text("reference")
        if to.startswith("#"):
            found = (c for c in of.children("contained") if c.text("id") == to[1:])
            return next(found, None)
        if to in self._by_url:
            return self._by_url[to]
        name = relative(to)
        return self._by_name.get(name) if name else None

    def name_of(self, reference: Element, of: Element) -> tuple[str, str] | None:
        """(type, id) that a Reference points to, whether that came along or not."""
        found = self.target(reference, of)
        if found is not None:
            return found.identity
        return relative(reference.text("reference"))

    def _take(self, item: Any, place: str, depth: int, url: str = "") -> bool:
        """Keep a resource, what a Bundle holds, or an entry; False when there are too many."""
        if len(self._all) >= MOST_RESOURCES:
            self._say(
                place, "many", "资源过多，其余未读。(Too many resources; the rest was not read.)"
            )
            return False
        if not isinstance(item, dict):
            self._say(place, "resource", "这一项不是资源。(This item is no resource.)")
            return True
        if "resourceType" not in item and "resource" in item:
            full = item.get("fullUrl")
            return self._take(item["resource"], place, depth, full if isinstance(full, str) else "")
        kind = item.get("resourceType")
        if kind == "Bundle":
            return self._take_bundle(item, place, depth)
        if not isinstance(kind, str) or not _TYPE.fullmatch(kind):
            self._say(
                place, "resource", "这一项没有 resourceType。(This item has no resourceType.)"
            )
            return True
        identifier = item.get("id")
        if not (isinstance(identifier, str) and _ID.fullmatch(identifier)):
            # A resource that is yet to be stored has no id: its entry's URL stands for it.
            identifier = one_line(url).rpartition(":")[2].rpartition("/")[2] or f"{kind}{place}"
        self._keep(item, kind, identifier, url)
        return True

    def _keep(self, item: dict[str, Any], kind: str, identifier: str, url: str) -> None:
        element = Element(item, self._problems, f"{kind}/{identifier}"[:130])
        if (kind, identifier) in self._by_name:
            if item == self._by_name[kind, identifier].data:
                return
            element.say(
                "warning",
                "twice",
                "同一资源出现两次，只读第一份。(Twice here; the first was read.)",
            )
            return
        self._by_name[kind, identifier] = element
        if url:
            self._by_url.setdefault(url, element)
        self._all.append(element)

    def _take_bundle(self, bundle: dict[str, Any], place: str, depth: int) -> bool:
        entries = bundle.get("entry", [])
        if depth >= MOST_NESTED or not isinstance(entries, list):
            self._say(
                place, "bundle", "Bundle 的 entry 无法读取。(The Bundle's entries cannot be read.)"
            )
            return True
        for number, entry in enumerate(entries):
            if not self._take(entry, f"{place}.entry[{number}]", depth + 1):
                return False
        return True

    def _say(self, place: str, code: str, detail: str) -> None:
        self._problems.add(place, "error", code, detail)
