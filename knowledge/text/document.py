"""A clinical text cut once into sections, sentences and clauses, for everything that reads it.

Folding keeps every offset, so a place in ``folded`` is the same place in ``text``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files

from knowledge.text.folding import fold

# A line that breaks off within a list (无恶心、↵呕吐) goes on, unless a heading follows; the 及 of
# 未触及 lists nothing.
_LISTING = (
    r"(?<!、)(?<!、\r)"
    r"(?<![^触扪闻探叩引未查诉顾涉累波]及)(?<![^触扪闻探叩引未查诉顾涉累波]及\r)"
)
_HEADED = r"(?=\s*[【\[(]?[\u4e00-\u9fff]{2,8}[】\])]?[ \t]*:)"
# A heading in its brackets, which begins a statement wherever it stands; 【阴性】 is an answer.
_BRACKETED = r"【(?!阴性|阳性|没有|未见|否认|正常|异常)"
SENTENCE_END = re.compile(
    rf"[。;!?]|{_LISTING}[\n\r]|[\n\r]{_HEADED}|\.(?=\s|$)"
    rf"|(?<=[^\s])(?={_BRACKETED}[\u4e00-\u9fff]{{2,8}}】)"
)
_COMMA = re.compile(r"[,，､]")
# Notes in telegraphic style set spaces for commas: 无发热 无胸痛 伴咽痛.
_GAP = re.compile(r"(?<=[\u4e00-\u9fff\d)%℃])[ \t\u3000]+(?=[\u4e00-\u9fff])")
_SHORT = re.compile(r"(?:^|[ \t\n,;:。、(])[\u4e00-\u9fff]\Z")
_NUMBER = re.compile(r"(?:^|[\s:;。])\(?\d{1,2}[.、)]\Z")
# A denial with a space behind it, at the beginning of a statement: 否认 高血压 糖尿病.
_DENIES = re.compile(
    r"(?:^|[,;:。\n]|既往|以往|平素|患者|家属|自[诉述]|目前|入院时|查体|近期|本人|病程中)[ \t]*"
    r"(?:否认|未见|未诉|未及|没有|未闻及|未触及|无|不伴|未引出)\Z|[未否]\Z"
)
_NUMBERING = r"(?:[一二三四五六七八九十\dⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩ]+[、.]?)"


@dataclass(frozen=True, slots=True)
class Range:
    """Half-open ``[start, end)`` of a text; sentences and clauses end with their mark."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading and what it heads: ``body`` up to the next one."""

    name: str
    start: int
    body: int
    end: int
    meaning: str


class Document:
    """One text, read lazily and once."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.folded = fold(text)
        self._joined: set[int] = set()

    def keep_together(self, ranges: Iterable[tuple[int, int]]) -> None:
        """No clause begins within these: 否认高 血压、糖尿 病."""
        for start, end in ranges:
            self._joined.update(range(start + 1, end))

    @cached_property
    def sentences(self) -> list[Range]:
        """The sentences, which cover the text."""
        return list(_cut(self.folded, 0, len(self.folded), SENTENCE_END))

    @cached_property
    def sections(self) -> list[Heading]:
        """The headed parts in their order; what stands before the first heading is in none."""
        pattern, meanings = _headings()
        hits = list(pattern.finditer(self.folded))
        ends = [*(hit.start() for hit in hits[1:]), len(self.folded)][: len(hits)]
        found = []
        for hit, end in zip(hits, ends, strict=True):
            name = re.sub(r"\s", "", hit["name"] or hit["numbered"] or hit["other"])
            found.append(Heading(name, hit.start(), hit.end(), end, meanings.get(name, "")))
        return found

    def clauses(self, sentence: Range) -> list[Range]:
        """The clauses of a sentence: what stands between commas, or the spaces set for them."""
        edges = [hit.end() for hit in _COMMA.finditer(self.folded, sentence.start, sentence.end)]
        for gap in _GAP.finditer(self.folded, sentence.start, sentence.end):
            if gap.end() not in self._joined and self._is_mark(gap.start(), gap.end(), sentence):
                edges.append(gap.end())
        edges = sorted({e for e in edges if sentence.start < e < sentence.end})
        starts = [sentence.start, *edges]
        return [Range(a, b) for a, b in zip(starts, [*edges, sentence.end], strict=True) if a < b]

    def _is_mark(self, start: int, end: int, sentence: Range) -> bool:
        """Whether a space parts two statements: not 主 诉, not a word set wide."""
        if _NUMBER.search(self.folded[max(sentence.start, start - 4) : start]):
            return False
        if _DENIES.search(self.folded[max(0, sentence.start - 1, start - 12) : start]):
            return False
        before = self.folded[max(sentence.start, start - 2) : start]
        lonely = _SHORT.search(before if start - 2 > sentence.start else f" {before}")
        # 无 发热 咳嗽 有 乏力: a short word of its own begins the next statement.
        wide = self.folded[end + 1 : end + 2].isspace() and self.folded[end] not in "有无伴但"
        return lonely is None and not wide


def _cut(text: str, start: int, end: int, mark: re.Pattern[str]) -> Iterator[Range]:
    position = start
    for hit in mark.finditer(text, start, end):
        if hit.end() > position:
            yield Range(position, hit.end())
        position = hit.end()
    if position < end:
        yield Range(position, end)


@cache
def _headings() -> tuple[re.Pattern[str], dict[str, str]]:
    """The pattern of a heading, and what each heads, from ``sections.tsv``.

    A heading ends with a colon, a bracket or its line; a numbered one (Ⅲ 既往 高血压) with a space.
    """
    table = files("knowledge.text") / "assertion" / "sections.tsv"
    rows = [row for row in table.read_text("utf-8").splitlines() if not row.startswith("#")]
    meanings = dict(row.split("\t") for row in rows if row)
    names = sorted(meanings, key=len, reverse=True)
    spaced = "|".join(r"\s*".join(name) if len(name) == 2 else name for name in names)
    pattern = re.compile(
        rf"(?:(?<=^)|(?<=[\n\r。;\s])|(?=【))(?:[【\[(]?{_NUMBERING}?[ \t]{{0,8}}"
        rf"(?P<name>{spaced})[】\])]?\s*(?:[:\n]|(?<=[】\])]))"
        rf"|{_NUMBERING}[ \t]{{1,4}}(?P<numbered>{'|'.join(names)})[ \t]"
        rf"|{_BRACKETED}(?P<other>[\u4e00-\u9fff]{{2,8}})】)"
    )
    return pattern, meanings
