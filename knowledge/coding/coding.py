"""Diagnosis as written → ICD-10 candidates from the imported tables.

A code is only ever one that a table gives; a diagnosis that no table resembles gets none.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from knowledge.text.folding import fold

_SEPARATOR = re.compile(r"[、;+\n。]|##|,(?=\D)|\d+[.、)]")
_NOISE = re.compile(r"[\s,.:()\[\]'\"“”\-/*]|(?:待查|待排|可能|考虑|伴|术后复查|\?)+")
_NUMERALS = str.maketrans(
    {"Ⅰ": "1", "Ⅱ": "2", "Ⅲ": "3", "Ⅳ": "4", "Ⅴ": "5", "ⅰ": "1", "ⅱ": "2", "ⅲ": "3", "ⅳ": "4"}
)
_SPELLINGS = (
    ("综合症", "综合征"),
    ("梗塞", "梗死"),
    ("恶性肿瘤", "癌"),
    ("瘤病", "瘤"),
    ("2型糖尿病", "ii型糖尿病"),
    ("1型糖尿病", "i型糖尿病"),
)
_DIGITS = {"i": "1", "ii": "2", "iii": "3", "iv": "4", "v": "5"}
_ROMAN = re.compile(r"(?<![a-z])(?:i{1,3}|iv|v)(?=[型期级度])")
# 慢性肾脏病（CKD 5期） says its name twice.
_TWICE = re.compile(r"([\u4e00-\u9fff]{4,10})\1")
MINIMUM_SCORE = 0.35
# No spelling of `plain` reaches across it, or has it.
_BETWEEN = "\0"


@dataclass(frozen=True)
class Code:
    """A code with the name that its table gives it; ``system`` names the table."""

    code: str
    name: str
    system: str


@dataclass(frozen=True)
class CodeCandidate:
    """A candidate code; ``score`` is 1 for the same name and falls with resemblance."""

    code: str
    name: str
    system: str
    score: float


def plain(name: str) -> str:
    """A name without the spellings, signs and words that make no difference."""
    text = fold(name.translate(_NUMERALS))
    for old, new in _SPELLINGS:
        text = text.replace(old, new)
    return _NOISE.sub("", text)


def standard(name: str) -> str:
    """A name in the one spelling that all that mean the same have: AECOPD, CKD5期, 2型糖尿病肾病.

    It is for the comparison of whole names; for resemblance `plain` keeps what was written.
    """
    text = _ROMAN.sub(lambda hit: _DIGITS[hit[0]], fold(name.translate(_NUMERALS)))
    for pattern, spelling in _spellings():
        text = pattern.sub(spelling, text)
    return _TWICE.sub(r"\1", _NOISE.sub("", text))


def spelling_rows() -> list[list[str]]:
    """The rows of the table of spellings: pattern, what it becomes, example."""
    text = (files("knowledge.coding") / "data" / "spellings.tsv").read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]


@cache
def _spellings() -> list[tuple[re.Pattern[str], str]]:
    return [(re.compile(pattern), spelling) for pattern, spelling, _ in spelling_rows()]


def plain_all(names: Sequence[str], way: Callable[[str], str] = plain) -> list[str]:
    """`plain` of each name, in one pass: a code table has tens of thousands."""
    if any(_BETWEEN in name for name in names):
        return [way(name) for name in names]
    return way(_BETWEEN.join(names)).split(_BETWEEN) if names else []


def _grams(text: str) -> set[str]:
    return {text[i : i + 2] for i in range(len(text) - 1)} | set(text)


class Coder:
    """Finds codes by name."""

    def __init__(self, codes: Iterable[Code]) -> None:
        """``codes`` may hold a name several times, once a table."""
        self._codes: list[Code] = list(dict.fromkeys(codes))
        names = plain_all([code.name for code in self._codes])
        self._exact: dict[str, list[int]] = defaultdict(list)
        postings: dict[str, list[int]] = defaultdict(list)
        sizes: list[int] = []
        for number, name in enumerate(names):
            grams = _grams(name)
            sizes.append(len(grams))
            for gram in grams:
                postings[gram].append(number)
        for number, name in enumerate(plain_all([code.name for code in self._codes], standard)):
            self._exact[name].append(number)
        self._postings = {gram: np.array(rows, np.int32) for gram, rows in postings.items()}
        total = max(len(names), 1)
        self._idf = {gram: float(np.log(1 + total / len(rows))) for gram, rows in postings.items()}
        self._norm: npt.NDArray[np.float64] = np.array(
            [sum(self._idf[gram] for gram in _grams(name)) for name in names]
        )

    def __len__(self) -> int:
        return len(self._codes)

    def split(self, diagnosis: str) -> list[str]:
        """The single diagnoses of a compound one (、 ； + or one a line)."""
        parts = (part.strip() for part in _SEPARATOR.split(fold(diagnosis)))
        return [part for part in parts if part]

    def candidates(self, diagnosis: str, limit: int = 5) -> list[CodeCandidate]:
        """Codes for a diagnosis as written, best first.

        A compound diagnosis is split and the best codes of its parts alternate.  An empty list
        means that no table has anything like it.
        """
        whole = self._best(diagnosis, limit)
        parts = self.split(diagnosis)
        if len(parts) < 2 or (whole and whole[0].score == 1.0):
            return whole
        lists: Sequence[list[CodeCandidate]] = [self._best(part, limit) for part in parts]
        mixed: dict[tuple[str, str], CodeCandidate] = {}
        for rank in range(limit):
            for found in lists:
                if rank < len(found):
                    mixed.setdefault((found[rank].system, found[rank].code), found[rank])
        return list(mixed.values())[: max(limit, len(parts))]

    def _best(self, diagnosis: str, limit: int) -> list[CodeCandidate]:
        name = plain(diagnosis)
        if not name or limit < 1 or not self._codes:
            return []
        scores = np.zeros(len(self._codes))
        weight = 0.0
        for gram in _grams(name):
            idf = self._idf.get(gram)
            weight += idf if idf is not None else float(np.log(1 + len(self._codes)))
            if idf is not None:
                scores[self._postings[gram]] += idf
        # Dice coefficient weighted by inverse document frequency.
        scores = 2 * scores / (weight + self._norm) * 0.999
        scores[self._exact.get(standard(diagnosis), [])] = 1.0
        order = np.argsort(-scores, kind="stable")[: limit * 4]
        found: dict[tuple[str, str], CodeCandidate] = {}
        for number in order:
            score = float(scores[number])
            code = self._codes[int(number)]
            if score >= MINIMUM_SCORE:
                found.setdefault(
                    (code.system, code.code),
                    CodeCandidate(code.code, code.name, code.system, round(score, 4)),
                )
        return list(found.values())[:limit]
