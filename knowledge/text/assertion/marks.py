"""Cues at their places in a text: the longest at a place wins, and none begins inside a term."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from weakref import WeakKeyDictionary

from knowledge.text.assertion.needed import Needed, needed
from knowledge.text.assertion.rules import Rule, load_rules
from knowledge.text.document import Document
from knowledge.text.lexicon import Match


@dataclass(frozen=True, slots=True)
class Cue:
    """A rule's cue at ``[start, end)``."""

    start: int
    end: int
    rule: Rule


class Terms:
    """The terms of a text by their places; they are in text order and do not overlap."""

    def __init__(self, matches: Sequence[Match]) -> None:
        self.matches = list(matches)
        self.starts = [match.start for match in matches]

    def inside(self, start: int, end: int) -> range:
        """Numbers of the terms that begin in ``[start, end)``."""
        return range(bisect_left(self.starts, start), bisect_left(self.starts, end))

    def over(self, position: int) -> Match | None:
        """The term that holds ``position``."""
        number = bisect_left(self.starts, position + 1) - 1
        if number >= 0 and position < self.matches[number].end:
            return self.matches[number]
        return None

    def next_start(self, position: int, end: int) -> int:
        """Where the first term at or after ``position`` begins; ``end`` where none does."""
        inside = self.inside(position, end)
        return self.starts[inside[0]] if inside else end


_PLACES: WeakKeyDictionary[Document, list[list[tuple[int, int]]]] = WeakKeyDictionary()
"""Where each rule's pattern matches in the documents that are being read: the terms change, the
text does not."""


def find_cues(document: Document, terms: Terms, taken: bytearray) -> list[Cue]:
    """The cues of a document, in order.  ``taken`` is not 0 where other things were read."""
    folded = document.folded
    places = _PLACES.get(document)
    if places is None:
        places = _PLACES[document] = [
            list(_places(rule, folded)) if may_hold else []
            for rule, may_hold in zip(load_rules(), _may_hold(folded), strict=True)
        ]
    pairs = zip(load_rules(), places, strict=True)
    found = [cue for rule, own in pairs for cue in _hits(rule, folded, own, terms, taken)]
    found = [cue for cue in found if not _denies_what_follows(cue, folded, terms)]
    # A wording that is longer says more exactly what is meant: 不能排除 is no 排除.
    found.sort(key=lambda cue: (cue.start - cue.end, cue.start, cue.rule.number))
    occupied = bytearray(len(folded) + 1)
    kept: list[Cue] = []
    at: dict[tuple[int, int], list[Cue]] = {}
    for cue in found:
        beside = at.setdefault((cue.start, cue.end), [])
        if _stands_with(cue, beside) if beside else not any(occupied[cue.start : cue.end]):
            occupied[cue.start : cue.end] = b"\1" * (cue.end - cue.start)
            kept.append(cue)
            beside.append(cue)
    kept.sort(key=lambda cue: cue.start)
    return kept


# What a statement may begin with: behind it a denial is of what follows.
_OPENING = re.compile(
    r"(?:\A|[,;。:\n]|既往|以往|平素|患者|家属|自[诉述]|目前|入院时|查体|近期|本人|病程中)[ \t]*\Z"
)
_SPACED = re.compile(r"[ \t]+[\u4e00-\u9fff]")


def _denies_what_follows(cue: Cue, folded: str, terms: Terms) -> bool:
    """Whether a denial that is read backwards has nothing before it: 查体：无 皮疹 黄疸."""
    if cue.rule.category != "deny" or cue.rule.direction != "<":
        return False
    if not _SPACED.match(folded, cue.end):
        return False
    glued = cue.start > 0 and not folded[cue.start].isspace()
    if glued and terms.over(cue.start - 1) is not None:
        # 颈强无 呕吐无: it is of what it touches, not of what a space parts from it.
        return False
    if _stands_alone(cue, folded, terms):
        return True
    lead = folded[max(0, cue.start - 12) : cue.start]
    # The colon of 查体:无 may be the cue's own.
    lead += ":" if folded[cue.start] == ":" else ""
    named = len(lead.rstrip(" \t:"))
    place = max(0, cue.start - 12) + named - 1
    if named and terms.over(place) is not None:
        return False
    return _OPENING.search(lead) is not None


_ANSWERED_LAST = re.compile(
    r"(?:\A|[ \t])(?:[\u4e00-\u9fff]{0,2}[均都])?(?:有|无|没有|否|是|[阴阳]性|\(?[+-]\)?)[ \t]*\Z"
)
_LINE_END = re.compile(r"[,;。\n]|\Z")


def _stands_alone(cue: Cue, folded: str, terms: Terms) -> bool:
    """咳嗽 无 发热 无 气促: between spaces 无 is of what follows, unless the line ends with an
    answer (高血压 无 糖尿病 有)."""
    if folded[cue.start : cue.end].strip() not in ("无", "没有", "未见"):
        return False
    following = cue.end + 1
    if terms.next_start(cue.end, following + 1) != following:
        return False
    end = _LINE_END.search(folded, cue.end)
    line = folded[cue.end : end.start() if end else len(folded)]
    return _ANSWERED_LAST.search(line) is None


def _stands_with(cue: Cue, beside: list[Cue]) -> bool:
    """Whether another rule may read the same words too: 未 of a drug and 未 of a symptom."""
    return not any(
        other.rule.category == "none"
        or (other.rule.category == cue.rule.category and other.rule.direction != cue.rule.direction)
        for other in beside
    )


@cache
def _needed() -> tuple[Needed, ...]:
    """What each rule's cue cannot do without."""
    return tuple(needed(rule.pattern) for rule in load_rules())


def _may_hold(folded: str) -> Iterator[bool]:
    """Whether the text may hold each rule's cue."""
    for words in _needed():
        yield words is None or any(word in folded for word in words)


def _places(rule: Rule, folded: str) -> Iterator[tuple[int, int]]:
    """Every place where the pattern matches, those inside another match as well."""
    position = 0
    while hit := rule.pattern.search(folded, position):
        yield hit.span()
        position = hit.start() + 1


def _hits(
    rule: Rule,
    folded: str,
    places: Sequence[tuple[int, int]],
    terms: Terms,
    taken: bytearray,
) -> Iterator[Cue]:
    position = 0
    for start, end in places:
        if start < position:
            continue
        position = max(end, start + 1)
        if taken[start : start + 1] == b"\1" or start == end:
            continue
        if rule.scope == "over":
            # A wording over the beginning of a term may not begin inside another.
            if terms.over(start) is None or terms.over(start).start == start:  # type: ignore[union-attr]
                yield Cue(start, end, rule)
            continue
        if terms.over(start) is not None:
            position = start + 1
            continue
        limit = terms.next_start(start, len(folded))
        if end > limit:
            # A cue ends where the next term begins: 不发烧 is 不 and 发烧.
            shorter = rule.pattern.match(folded, start, limit)
            position = start + 1
            if shorter is None or shorter.end() == start:
                continue
            end = shorter.end()
        if rule.scope == "near" and not _is_at_term(folded, end, limit):
            continue
        yield Cue(start, end, rule)


def _is_at_term(folded: str, end: int, limit: int) -> bool:
    """Whether a term begins right behind a cue; ``limit`` is where the next one does."""
    return limit < len(folded) and not folded[end:limit].strip()


class Cues:
    """The cues of a text by their places."""

    def __init__(self, cues: Sequence[Cue]) -> None:
        self.cues = list(cues)
        self._starts = [cue.start for cue in cues]

    def __iter__(self) -> Iterator[Cue]:
        return iter(self.cues)

    def between(self, start: int, end: int) -> list[Cue]:
        """Those that begin in ``[start, end)``."""
        return self.cues[bisect_left(self._starts, start) : bisect_left(self._starts, end)]
