"""What was found by which examination: 血培养阴性，痰培养示克雷伯菌 are two results.

``data/examinations.tsv`` has the kinds of examinations and their sites, each with an example.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, cached_property

from assistant.grounding.tables import rows
from assistant.grounding.wording import bigrams
from knowledge.text.folding import fold

_EDGE = re.compile(r"[,，、。;:()\s]|[行查做示见及和与]|复查|结果|提示|显示")
_JOINED = re.compile(r"[、及和与/+,\s]*(?:(?:检查|平扫|增强|组织|镜下|结果)[、及和与\s]*)?")
_NO_RESULT = re.compile(
    r"\A(?:检查|平扫|增强|扫描|及|和|与|后|前|术|下|结果|回报|报告|均|[,，、:\s])*\Z"
)
_SENTENCE = re.compile(r"[^。；;\n]+")
_EARLIER = re.compile(r"[\d一二两三四五六七八九十半数几]+余?个?[年月周]前|去年|前年|上次|既往")
_NOW = re.compile(r"[本此]次|现|目前|今|入院后")
_FAR = 10
_SAYS_LITTLE = re.compile(r"明显|明确|检查|平扫|增强|提示|显示|结果|回报|报告|[示见]")
_SIGNS = re.compile(r"\+{1,4}|[↑↓±]|\d[\d.]*")


@dataclass(frozen=True, slots=True)
class Examination:
    """One way of looking at one site; ``sites`` is empty where none is named."""

    kind: str
    sites: frozenset[str]

    def is_like(self, other: Examination) -> bool:
        """Whether both may be one: a CT of the chest is a CT, and none of the head."""
        if self.kind != other.kind:
            return False
        return not self.sites or not other.sites or bool(self.sites & other.sites)


@dataclass(frozen=True)
class Result:
    """``text`` is what examinations showed, each of them the same; without any it is told freely.

    ``when`` is earlier or now, where the words before them say so.
    """

    examinations: tuple[Examination, ...]
    text: str
    when: str = ""

    @cached_property
    def words(self) -> set[str]:
        """What it says, without the words that say little."""
        return result_words(self.text)

    def is_of(self, other: Result) -> bool:
        """Whether both were shown by one examination, as far as both name any."""
        if self.when and other.when and self.when != other.when:
            return False
        if not self.examinations or not other.examinations:
            return True
        return any(a.is_like(b) for a in self.examinations for b in other.examinations)


def result_words(text: str) -> set[str]:
    """Pairs of content characters, signs and numbers of what an examination showed."""
    return bigrams(_SAYS_LITTLE.sub(" ", text)) | set(_SIGNS.findall(text))


def examination_rows() -> list[list[str]]:
    """The rows of the table: kind or site, its name, pattern, example."""
    return rows("examinations.tsv")


def heading(section: str) -> tuple[Examination, ...]:
    """The examination or list of diagnoses that a section is headed by; () for any other."""
    hit = _kinds().fullmatch(section)
    return (Examination(_names()[int((hit.lastgroup or "k0")[1:])], frozenset()),) if hit else ()


@cache
def _kinds() -> re.Pattern[str]:
    rows = [row for row in examination_rows() if row[0] == "kind"]
    return re.compile("|".join(f"(?P<k{n}>{row[2]})" for n, row in enumerate(rows)))


@cache
def _names() -> list[str]:
    return [row[1] for row in examination_rows() if row[0] == "kind"]


@cache
def _sites() -> list[tuple[str, re.Pattern[str]]]:
    return [(row[1], re.compile(row[2])) for row in examination_rows() if row[0] == "site"]


def names_examination(text: str) -> bool:
    """Whether ``text`` names an examination."""
    return _kinds().search(fold(text)) is not None


def results(text: str) -> list[Result]:
    """Every sentence in parts, each with the examinations that stand before it."""
    return [one for sentence in _SENTENCE.findall(text) for one in _of_sentence(sentence)]


def _of_sentence(sentence: str) -> list[Result]:
    folded = fold(sentence)
    found: list[Result] = []
    now: list[Examination] = []
    start, when = 0, ""
    for hit in _kinds().finditer(folded):
        before = folded[start : hit.start()]
        lead = _lead(folded, start, hit)
        told = before[: len(before) - len(lead)]
        if not (now and (_JOINED.fullmatch(told) or _NO_RESULT.fullmatch(told))):
            found.append(Result(tuple(now), sentence[start : hit.start() - len(lead)], when))
            now, when = [], _when(before)
        sites = frozenset(name for name, pattern in _sites() if pattern.search(lead + hit[0]))
        now.append(Examination(_names()[int((hit.lastgroup or "k0")[1:])], sites))
        start = hit.end()
    found.append(Result(tuple(now), sentence[start:], when))
    return [one for one in found if one.text.strip()]


def _when(before: str) -> str:
    """What the clause before an examination says of its time."""
    clause = re.split(r"[,，]", before)[-1]
    if _EARLIER.search(clause):
        return "earlier"
    return "now" if _NOW.search(clause) else ""


def _lead(folded: str, start: int, hit: re.Match[str]) -> str:
    """The words right before an examination, which may name its site."""
    words = folded[max(start, hit.start() - _FAR) : hit.start()]
    return words[max((edge.end() for edge in _EDGE.finditer(words)), default=0) :]
