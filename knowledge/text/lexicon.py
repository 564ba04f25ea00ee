"""Longest match of clinical terms in Chinese text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property

from knowledge.text.folding import fold
from knowledge.text.synonyms import SynonymTable, TermKind

# Words that patients put inside a symptom: 肚子【有点】疼, 头【特别】晕, 发【了两天】烧.
_FILLER = (
    r"(?:有点儿?|有些|有一点|有时候?|一点|一直都?|一阵阵?|一会儿?|一次|两次|几次|[一二两三四五六七八九十几\d]+"
    r"(?:次|天|回|个|遍|下|几)|稍微|稍|略|很|挺|好|太|特别|比较|非常|十分|相当|极其|还是?|老是?|总是?|又|再|也|都|就|会|要|"
    r"开始|突然|忽然|偶尔|偶有|经常|常常?|时常|时不时|反复|持续|不停地?|不断|不住地?|阵阵|隐隐|微微|轻微|轻度|轻|明显|严重|"
    r"剧烈|厉害|多|大|的|地|得|了|着|过|在|出现|感到|感觉|觉得|感|觉|发|是|这几天|最近|今天|昨天|晚上|早上|白天|里面?|上面?|"
    r"下面?|中间?|周围|附近|这里|那里|处|部|自己|喊|说|叫|老说|有|长|起|出|冒|上|些|好多|许多|很多|几个|小|红)"
)
_GAP_REACH = 64
"""Characters that a term of two parts may span."""
# A blank or the end of a line between two characters.
_PARTED = re.compile(r"(?<=[\u4e00-\u9fff])(?:[ \t]|[ \t]*\r?\n[ \t]*)(?=[\u4e00-\u9fff])")
_SPLIT_REACH = 14
_HAN = re.compile(r"[\u4e00-\u9fff]")
_DENYING = frozenset("无未不没")
_DENIAL = r"(?:没有|没|无|不再|不会|不怎么|不太|不是很|不)"


@dataclass(frozen=True)
class Match:
    """Term found at ``[start, end)``; ``denied`` when its own wording denies the concept."""

    start: int
    end: int
    concept: str
    kind: TermKind
    denied: bool = False


def _meet(first: Match, second: Match) -> bool:
    return first.start < second.end and second.start < first.end


@dataclass
class _Gap:
    """A term of two parts with filler between them."""

    head: str
    tail: str
    concept: str
    kind: TermKind
    denied: bool

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Compiled when a text first has both parts: few texts do, and there are hundreds."""
        head, tail = re.escape(self.head), re.escape(self.tail)
        return re.compile(f"{head}{_FILLER}{{0,3}}(?P<no>{_DENIAL})?{_FILLER}{{0,2}}{tail}")


@dataclass
class Lexicon:
    """Terms with the concept each names.  Add terms, then `find`; matching ignores letter case."""

    _terms: dict[str, tuple[str, TermKind, bool]] = field(default_factory=dict)
    _by_head: dict[str, list[int]] = field(default_factory=dict)
    _patterns: dict[str, list[_Gap]] = field(default_factory=dict)

    def add(self, term: str, concept: str, kind: TermKind, denied: bool = False) -> None:
        """Add a wording of ``concept``; the first use of a wording wins."""
        key = fold(term)
        if "…" in key:
            self._add_pattern(key, concept, kind, denied)
        elif key and key not in self._terms:
            self._terms[key] = (concept, kind, denied)
            lengths = self._by_head.setdefault(key[:2], [])
            if len(key) not in lengths:
                lengths.append(len(key))
                lengths.sort(reverse=True)

    def _add_pattern(self, term: str, concept: str, kind: TermKind, denied: bool) -> None:
        head, tail = term.split("…", 1)
        self._patterns.setdefault(term[0], []).append(_Gap(head, tail, concept, kind, denied))

    def add_synonyms(self, table: SynonymTable) -> None:
        """Add every wording and denial of the table."""
        for concept in table.concepts.values():
            self.add(concept.name, concept.name, concept.kind)
        for concept in table.concepts.values():
            for wording in concept.wordings:
                self.add(wording, concept.name, concept.kind)
            for wording in concept.denials:
                self.add(wording, concept.name, concept.kind, denied=True)

    def __contains__(self, term: str) -> bool:
        return fold(term) in self._terms

    def __len__(self) -> int:
        return len(self._terms) + sum(map(len, self._patterns.values()))

    def concept(self, term: str) -> str | None:
        """The concept of exactly this wording, if the lexicon has it."""
        entry = self._terms.get(fold(term))
        return entry[0] if entry else None

    def find(self, text: str, kinds: Iterable[TermKind] | None = None) -> list[Match]:
        """Terms in ``text`` from left to right, longest first, never overlapping.

        Offsets are code points of ``text``.  ``kinds`` keeps only terms of these kinds; a term of
        another kind still claims its characters (血压 inside 血压计 is not a finding).
        """
        wanted = set(kinds) if kinds is not None else None
        folded = fold(text)
        found = self._find(folded, wanted)
        if _PARTED.search(folded):
            split = [m for m in self._split(folded) if wanted is None or m.kind in wanted]
            found = [m for m in found if not any(_meet(m, other) for other in split)]
            found = sorted([*found, *split], key=lambda match: match.start)
        return found

    def _split(self, folded: str) -> list[Match]:
        """Terms with a blank or the end of a line inside them, as scanners set them: 咳 嗽."""
        found: list[Match] = []
        for gap in _PARTED.finditer(folded):
            if found and gap.start() < found[-1].end:
                continue
            start = max(0, gap.start() - _SPLIT_REACH)
            near = folded[start : gap.end() + _SPLIT_REACH]
            places = [n for n, c in enumerate(near, start) if not c.isspace()]
            words = "".join(folded[place] for place in places)
            for match in self._find(words, None):
                first, last = places[match.start], places[match.end - 1]
                following = words[match.end : match.end + 1]
                if first < gap.start() <= last and not _HAN.match(following):
                    found.append(replace(match, start=first, end=last + 1))
                    break
                # 主 诉 咳 嗽: each character stands alone.
                alone = folded[last + 1 : last + 2].isspace() and folded[last - 1].isspace()
                if first < gap.start() <= last and alone:
                    found.append(replace(match, start=first, end=last + 1))
                    break
        return found

    def _find(self, folded: str, wanted: set[TermKind] | None) -> list[Match]:
        found: list[Match] = []
        position = 0
        heads, gaps = self._by_head, self._patterns
        while position < len(folded):
            first = folded[position]
            # Most places begin no term; to see that here is most of the time that a text takes.
            if folded[position : position + 2] not in heads and (
                first not in heads and first not in gaps
            ):
                position += 1
                continue
            match = self._longest(folded, position)
            if match is None or self._is_denial_of_longer(folded, match):
                position += 1
                continue
            if wanted is None or match.kind in wanted:
                found.append(match)
            position = match.end
        return found

    def _is_denial_of_longer(self, text: str, match: Match) -> bool:
        """True for 无尿 in 无尿频: the denial of a longer term, not a term that begins with 无."""
        if text[match.start] not in _DENYING:
            return False
        if text[match.start] in "无没" and text[match.start - 1 : match.start] == "有":
            # 有无皮疹 asks for the rash, and denies nothing.
            return match.denied
        inner = (self._longest(text, match.start + skip) for skip in (1, 2))
        return any(other is not None and other.end > match.end for other in inner)

    def _longest(self, text: str, start: int) -> Match | None:
        best: Match | None = None
        room = len(text) - start
        if room <= 0:
            return None
        terms = self._terms
        for head in (text[start : start + 2], text[start]):
            for length in self._by_head.get(head, ()):
                if length <= room and (entry := terms.get(text[start : start + length])):
                    best = Match(start, start + length, *entry)
                    break
            if best is not None:
                break
        for gap in self._patterns.get(text[start], ()):
            near = start + _GAP_REACH
            if not text.startswith(gap.head, start) or text.find(gap.tail, start, near) < 0:
                continue
            hit = gap.pattern.match(text, start)
            if hit and (best is None or hit.end() > best.end):
                turned = gap.denied != bool(hit.group("no"))
                best = Match(start, hit.end(), gap.concept, gap.kind, turned)
        return best
