"""Where a text has the wordings of findings.

What a wording begins with stands in one trie; the rest is looked for behind it, in the same clause
and not far away.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from knowledge.clinical.wording import Part, Wording

REACH = 12
"""How many characters may stand between two parts of a wording."""
_STOP = re.compile(r"[,;。!?\n]")
_END = ""
"""The key of a trie's node under which its patterns stand; no character is empty."""

_LETTER, _DIGIT = re.compile(r"[a-z]"), re.compile(r"[0-9]")

_DENYING = frozenset("无未不没")

_Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Hit:
    """A wording of ``name`` at ``parts`` (half-open ranges of the text, in order)."""

    name: str
    parts: tuple[_Place, ...]

    @property
    def start(self) -> int:
        """Where the first part begins."""
        return self.parts[0][0]

    @property
    def end(self) -> int:
        """Where the last part ends."""
        return self.parts[-1][1]


@dataclass(frozen=True, slots=True)
class _Pattern:
    """What follows the literal under which it stands in the trie."""

    name: str
    rest: Part
    parts: Wording


class Matcher:
    """Wordings in a trie.  Safe to use from several threads when all are added."""

    def __init__(self) -> None:
        self._trie: dict[str, Any] = {}

    def add(self, name: str, wording: Wording) -> None:
        """Add a wording of ``name``."""
        first, *parts = wording
        while first:
            choice, first = first[0], first[1:]
            pattern = _Pattern(name, first, tuple(parts))
            for literal in choice:
                if literal:
                    self._leaf(literal).append(pattern)
            if "" not in choice:
                break

    def _leaf(self, literal: str) -> list[_Pattern]:
        node = self._trie
        for character in literal:
            node = node.setdefault(character, {})
        leaf: list[_Pattern] = node.setdefault(_END, [])
        return leaf

    def find(self, folded: str) -> list[Hit]:
        """All hits in a folded text.

        A hit of one part inside a longer one of one part is dropped: 水肿 in 肺水肿 is not meant.
        """
        single: dict[_Place, set[str]] = defaultdict(set)
        gapped: set[Hit] = set()
        for start, end, patterns in self._literals(folded):
            for pattern in patterns:
                stop = _after(folded, end, pattern.rest)
                if stop < 0 or not _whole_word(folded, start, stop):
                    continue
                if not pattern.parts:
                    single[start, stop].add(pattern.name)
                elif (parts := _follow(folded, stop, pattern.parts)) is not None:
                    gapped.add(Hit(pattern.name, ((start, stop), *parts)))
        longest = [place for place in _maximal(single) if not _denies_longer(folded, place, single)]
        hits = {Hit(name, (place,)) for place in longest for name in single[place]}
        hits |= {hit for hit in gapped if not _broken(hit, longest)}
        return sorted(hits, key=lambda hit: (hit.start, hit.end, hit.name))

    def names(self, folded: str) -> set[str]:
        """The findings of which the whole of a text is a wording."""
        return {h.name for h in self.find(folded) if (h.start, h.end) == (0, len(folded))}

    def _literals(self, folded: str) -> Iterator[tuple[int, int, list[_Pattern]]]:
        length = len(folded)
        for start in range(length):
            node = self._trie.get(folded[start])
            end = start + 1
            while node is not None:
                if patterns := node.get(_END):
                    yield start, end, patterns
                node = node.get(folded[end]) if end < length else None
                end += 1


def _after(folded: str, at: int, choices: Part) -> int:
    """Where ``choices`` end that begin at ``at``, the longest way; -1 where they do not stand."""
    if not choices:
        return at
    longest = -1
    for literal in choices[0]:
        if folded.startswith(literal, at):
            longest = max(longest, _after(folded, at + len(literal), choices[1:]))
    return longest


def _whole_word(folded: str, start: int, end: int) -> bool:
    """Latin words and numbers are not cut: RA is no part of BRAF; Hb85g/L has Hb."""
    return not any(
        kind.match(folded, at - 1) and kind.match(folded, at)
        for at in (start, end)
        for kind in (_LETTER, _DIGIT)
        if 0 < at < len(folded)
    )


def _follow(folded: str, end: int, parts: Wording) -> tuple[_Place, ...] | None:
    """The places of ``parts`` behind ``end``, the nearest ones."""
    found: list[_Place] = []
    for part in parts:
        stop = _STOP.search(folded, end, end + REACH)
        limit = stop.start() if stop else end + REACH
        for at in range(end, min(limit, len(folded) - 1) + 1):
            after = _after(folded, at, part)
            if after > at:
                found.append((at, after))
                end = after
                break
        else:
            return None
    return tuple(found)


def _maximal(places: Iterable[_Place]) -> list[_Place]:
    """The places that are inside no longer one."""
    kept: list[_Place] = []
    furthest = -1
    for start, end in sorted(places, key=lambda place: (place[0], -place[1])):
        if end > furthest:
            kept.append((start, end))
            furthest = end
    return kept


def _denies_longer(folded: str, place: _Place, others: Iterable[_Place]) -> bool:
    """Whether it is the denial of a longer finding: 无尿 in 无尿频."""
    start, end = place
    if folded[start] not in _DENYING:
        return False
    return any(start < a < end < b for a, b in others)


def _broken(hit: Hit, longest: Sequence[_Place]) -> bool:
    """Whether the last part of a hit is only a piece of another finding's word.

    下肢…水肿 does not mean the oedema of 下肢正常，肺水肿.
    """
    start, end = hit.parts[-1]
    before = hit.parts[-2][1]
    return any(before <= a <= start and end <= b and (a, b) != (start, end) for a, b in longest)
