"""Where a report tells of each lesion: the rows of a table of features."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from assistant.tasks.structuring.sentences import Ranges
from knowledge.text.phrases import phrases_of

Range = tuple[int, int]

_PHRASES = phrases_of("assistant.tasks.structuring")
_CONCLUSION = _PHRASES["conclusion"]
_FOLLOW_UP = _PHRASES["follow_up"]
_IN_PLACE = _PHRASES["segment"]
_JOINED = _PHRASES["joined"]
_SIDED = re.compile(r"[左右双两]")
_CLAUSE_MARK = re.compile(r"[,;]")
_LISTED = re.compile(r"(?:[、,及和与]|以及)约?")


@dataclass(frozen=True)
class Lesion:
    """The part ``[start, end)`` of a report that tells of one lesion.

    ``named`` is where the word for it ends, ``place`` the words for where it is.  ``others`` are
    the places, within that part, of the lesions that share its words; it is the ``number``-th of
    them, from 0.
    """

    start: int
    end: int
    named: int
    place: Range
    others: tuple[Range, ...] = ()
    number: int = 0

    def holds(self, start: int, end: int) -> bool:
        """Whether what stands at ``[start, end)`` is told of this lesion."""
        if not self.start <= start < self.end:
            return False
        return not any(a < end and start < b for a, b in self.others)

    def own_size(self, folded: str, sizes: Sequence[Range]) -> int | None:
        """Which of ``sizes``, in text order, is this lesion's, where those that share its words
        have one each (大小分别约5mm、8mm; 前者约5mm，后者约8mm); None where that is not said."""
        places = sorted([*self.others, self.place])
        count = len(places)
        after = [size for size in sizes if size[0] >= places[-1][1]]
        skipped = len(sizes) - len(after)
        if not self.others or not after:
            return None
        gaps = [folded[a[1] : b[0]] for a, b in pairwise(after)]
        run = next((n for n, gap in enumerate(gaps, 1) if not _LISTED.fullmatch(gap)), len(after))
        if run == count:
            return skipped + self.number
        names = [{folded[slice(*place)]} for place in places]
        names[0].add("前者")
        names[-1].add("后者")
        begin = places[-1][1]
        for index, size in enumerate(after):
            between = folded[begin : size[0]]
            if any(name in between for name in names[self.number]):
                return skipped + index
            begin = size[1]
        return None


def find_lesions(
    folded: str, sentences: Ranges, places: Sequence[Range], hits: Sequence[Range]
) -> list[Lesion]:
    """The lesions of a report, from the place of each to the next lesion.

    ``places`` and ``hits`` (the words for lesions, none denied) are in text order.  Where several
    places share one word, each is a lesion; what the impression says again is none.
    """
    conclusion = _CONCLUSION.search(folded)
    concluded = conclusion.start() if conclusion else len(folded)
    found: list[tuple[list[Range], Range, list[Range]]] = []
    known: list[tuple[str, frozenset[str]]] = []
    for start, end in hits:
        sentence, _ = sentences.at(start)
        # A place named inside the lesion's own words (肺结节) begins it, too.
        before = [place for place in places if sentence <= place[0] <= start]
        if not before and found:
            continue
        own = _group(folded, before, start) if before else [(sentence, sentence)]
        new = [p for p in own if not (p[0] > concluded and _is_told(_lobes(folded, p), known))]
        if new and (not found or own[0][0] > found[-1][0][0][0]):
            found.append((own, (start, end), new))
            known += [_lobes(folded, place) for place in own]
    lesions: list[Lesion] = []
    for index, (own, hit, new) in enumerate(found):
        following = found[index + 1][0][0][0] if index + 1 < len(found) else len(folded)
        stop = min(following, _told_until(folded, sentences, hit[1]))
        lesions += [one for one in _of_places(folded, own, stop, hit) if one.place in new]
    return lesions


def _lobes(folded: str, place: Range) -> tuple[str, frozenset[str]]:
    """The side of a place and its lobes: 右肺上叶及中叶 and 右肺上、中叶 are the same."""
    words = folded[slice(*place)]
    if not _SIDED.match(words):
        return words, frozenset()
    return words[0], frozenset(set(words) & set("上中下"))


def _is_told(place: tuple[str, frozenset[str]], told: Sequence[tuple[str, frozenset[str]]]) -> bool:
    return any(place[0] == side and place[1] <= lobes for side, lobes in told)


def _group(folded: str, before: Sequence[Range], hit: int) -> list[Range]:
    """The places that share the word at ``hit``: 右肺上叶、中叶 is one, with two lobes."""
    group = [before[-1]]
    if not _CLAUSE_MARK.search(folded, before[-1][1], hit):
        for place in reversed(before[:-1]):
            if not _JOINED.fullmatch(folded, place[1], group[0][0]):
                break
            group.insert(0, place)
    sided: list[Range] = []
    for start, end in group:
        if sided and not _SIDED.match(folded, start):
            sided[-1] = (sided[-1][0], end)
        else:
            sided.append((start, end))
    return sided


def _of_places(folded: str, own: Sequence[Range], stop: int, hit: Range) -> list[Lesion]:
    segment = _IN_PLACE.match(folded, own[-1][1])
    bounds = [*(start for start, _ in own), segment.end() if segment else own[-1][1]]
    ranges = [(bounds[n], bounds[n + 1]) for n in range(len(own))]
    return [
        Lesion(own[0][0], stop, hit[1], own[n], tuple(r for r in ranges if r != ranges[n]), n)
        for n in range(len(own))
    ]


def _told_until(folded: str, sentences: Ranges, position: int) -> int:
    _, end = sentences.at(max(0, position - 1))
    while end < len(folded):
        begin, after = sentences.at(end)
        blank = not folded[begin:after].strip()
        if not (blank or _FOLLOW_UP.match(folded, begin, after)):
            break
        end = after
    return end
