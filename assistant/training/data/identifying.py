"""Where a text says who somebody is: names, ids, phones, addresses, dates, wards, hospitals.

The rules are those of `assistant.store.deidentify`, which replaces by a class; here the places are
kept, so that something else can stand there.  Clinical numbers are no place.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal

from assistant.store import identifying_text, institutions
from assistant.store.person_names import find_names, not_names

Kind = Literal["name", "date", "id", "phone", "address", "ward", "hospital", "account", "plate"]

_KINDS: dict[str, Kind] = {
    "[姓名]": "name",
    "[日期]": "date",
    "[身份证号]": "id",
    "[编号]": "id",
    "[电话]": "phone",
    "[地址]": "address",
    "[病区]": "ward",
    "[机构]": "hospital",
    "[邮箱]": "account",
    "[网址]": "account",
    "[账号]": "account",
    "[车牌]": "plate",
}
# What was found already is hidden behind characters of the same number that no rule knows.
_HIDDEN = "\ue000"
_YEAR_ALONE = re.compile(r"\d{4}年|[〇零○一二三四五六七八九]{4}年")
_LONG_NUMBER = re.compile(r"(?<![\d.])\d{7,}(?![\d.])")


@dataclass(frozen=True, slots=True)
class Place:
    """``[start, end)`` of the text, in code points."""

    start: int
    end: int
    kind: Kind
    text: str


def find(text: str, names: Collection[str] = (), identifiers: Iterable[str] = ()) -> list[Place]:
    """The places of ``text`` in order, none over another.

    ``names`` and ``identifiers`` are known from elsewhere (the record's fields, other texts of the
    patient) and count wherever they stand.
    """
    found: list[Place] = []
    rest = text
    for identifier in sorted({i for i in identifiers if len(i) > 1}, key=len, reverse=True):
        rest = _take(rest, re.compile(re.escape(identifier)), "id", found, text)
    rest = _names(rest, {*names, *find_names(rest)}, found, text)
    for start, end in institutions.places(rest):
        rest = _hide(rest, start, end, "hospital", found, text)
    for rule in identifying_text.rules():
        kind = _KINDS.get(rule.replacement.removeprefix(r"\1"))
        if kind is not None:
            rest = _take(rest, rule.pattern, kind, found, text)
    _take(rest, _LONG_NUMBER, "id", found, text)
    return sorted(found, key=lambda place: place.start)


def _names(rest: str, names: set[str], found: list[Place], text: str) -> str:
    """Names wherever they stand; a longer word that begins like one (张力性) stays."""
    names = {name for name in names if len(name) > 1}
    if not names:
        return rest
    words = {word for word in not_names() if any(name in word for name in names)} - names
    choice = "|".join(sorted(map(re.escape, names | words), key=len, reverse=True))
    for match in re.finditer(choice, rest):
        if match[0] in names:
            rest = _hide(rest, match.start(), match.end(), "name", found, text)
    return rest


def _take(rest: str, pattern: re.Pattern[str], kind: Kind, found: list[Place], text: str) -> str:
    for match in pattern.finditer(rest):
        start = match.end(1) if pattern.groups and match[1] is not None else match.start()
        end = match.end()
        # A year alone tells nobody apart, and how old an illness is must stay right.
        if kind == "date" and _YEAR_ALONE.fullmatch(match[0]):
            continue
        if start < end and _HIDDEN not in rest[start:end]:
            rest = _hide(rest, start, end, kind, found, text)
    return rest


def _hide(rest: str, start: int, end: int, kind: Kind, found: list[Place], text: str) -> str:
    found.append(Place(start, end, kind, text[start:end]))
    return rest[:start] + _HIDDEN * (end - start) + rest[end:]
