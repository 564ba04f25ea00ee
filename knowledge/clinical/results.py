"""Laboratory results and vital signs of a text as findings: 肌钙蛋白I 5.2 ng/ml is 肌钙蛋白升高.

A word or sign of the text (↑, 阳性, 正常) decides; else the number does, by the reference range of
the patient's age and sex in the unit that is written.  What was examined counts: the leukocytes of
脑脊液检查：白细胞 500×10⁶/L are the fluid's.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from knowledge.clinical.matcher import Hit, Matcher
from knowledge.clinical.reference import Range, grades, is_plausible, ranges_of
from knowledge.clinical.vocabulary import Vocabulary
from knowledge.ranking.demographics import Sex
from knowledge.text.folding import fold
from knowledge.text.quantity import Quantity, quantities

_TAIL = 24
_SENTENCE = re.compile(r"[。;\n]")
_HIGH = r"升高|增高|上升|偏高|增多|增加|↑|过高|高于正常|超过正常|延长|增快"
_LOW = r"降低|下降|减低|减少|偏低|↓|过低|低于正常|缩短|不足"
_POSITIVE = r"阳性|\(\+{1,4}\)|\+{1,4}|[1-4]\+|检出"
_NEGATIVE = r"阴性|\(-\)|-(?=[,。;、\s]|$)|未检出"
_WORD = re.compile(
    rf"(?P<normal>均?(?:在)?正常(?:范围)?|无异常|未见异常)|(?P<no>不|未见|无)?(?:(?P<high>{_HIGH})|(?P<low>{_LOW})|(?P<positive>{_POSITIVE})|(?P<negative>{_NEGATIVE}))"
)
_BETWEEN = re.compile(r"[,;。\n]")
_BLOOD = "血"
_SHORTEST_VITAL = 2
"""T, P and R are vital signs before a number only."""
_SHARES = frozenset({"n"})
"""Letters that name an analyte before percent only: N 86% are neutrophils, N 2 is a stage."""
_RIGHT_BEHIND = re.compile(r"[\s:约为是]{0,3}")
"""What may stand between the name of a vital sign and its number where no unit follows."""
_PRESSURE, _PRESSURES = "血压", ("收缩压", "舒张压")
_FRACTIONS = {
    "中性粒细胞": "中性粒细胞百分比",
    "淋巴细胞": "淋巴细胞百分比",
    "嗜酸性粒细胞": "嗜酸性粒细胞百分比",
    "网织红细胞": "网织红细胞",
    "血细胞比容": "血细胞比容",
}
"""Analytes of which a bare number below one is a share, and what has its range in percent:
中性粒细胞0.85."""
_IN_FLUIDS = frozenset(
    {"白细胞", "红细胞", "中性粒细胞", "淋巴细胞", "血糖", "总蛋白", "乳酸脱氢酶", "血氯"}
)
"""What is found in several fluids, so that where it was found matters."""


@dataclass(frozen=True, slots=True)
class Result:
    """``finding`` is shown (or, when not ``present``, excluded) by the text at ``[start, end)``."""

    finding: str
    start: int
    end: int
    present: bool


_BECAME = re.compile(r"[^\d,。;、]{0,6}?(?:降|升|跌|涨|减|增|掉|→|->)[^\d,。;、]{0,4}")
"""What stands between a number and the number that it has become."""


@dataclass(frozen=True, slots=True)
class Patient:
    """Whose results these are, as far as it is known."""

    age_years: float | None = None
    sex: Sex | None = None


@cache
def _prefixes() -> dict[str, str]:
    """Words that say what was examined → the prefix of its analytes, in the order of the table
    and, for each prefix, the longest words first."""
    text = (files("knowledge.clinical") / "specimens.tsv").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in text.splitlines() if line and line[0] != "#")
    return {
        word: prefix
        for prefix, words in rows
        for word in sorted((fold(one) for one in words.split("、")), key=len, reverse=True)
    }


@cache
def _specimens() -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, _prefixes())))


class ResultReader:
    """Reads the results of the analytes of a vocabulary.  Safe to use from several threads."""

    def __init__(self, known: Vocabulary) -> None:
        self._known = known
        self._matcher = Matcher()
        for analyte in known.analytes.values():
            self._matcher.add(analyte.name, ((analyte.names,),))

    def read(self, folded: str, text: str, patient: Patient) -> list[Result]:
        """The results of a text in its order."""
        hits = self._matcher.find(folded)
        if not hits:
            return []
        found = quantities(text)
        starts = [hit.start for hit in hits]
        numbers = [quantity.start for quantity in found]
        sentences = [0, *(mark.end() for mark in _SENTENCE.finditer(folded))]
        results: list[Result] = []
        for hit in hits:
            following = bisect_left(starts, hit.end)
            limit = starts[following] if following < len(starts) else len(text)
            limit = min(hit.end + _TAIL, limit)
            stop = _SENTENCE.search(folded, hit.end, limit)
            sentence = sentences[bisect_right(sentences, hit.start) - 1]
            name = self._of_specimen(hit, folded, sentence)
            if name is not None:
                limit = stop.start() if stop else limit
                own = found[bisect_left(numbers, hit.end) : bisect_left(numbers, limit)]
                analyte = Hit(name, hit.parts)
                results += _strongest(
                    result
                    for number in _course(own, folded)
                    for result in self._of(analyte, folded, limit, number, patient)
                )
        return results

    def _of_specimen(self, hit: Hit, folded: str, sentence: int) -> str | None:
        """The analyte in what its sentence says was examined; None when there is none such."""
        said = _BLOOD
        for mark in _specimens().finditer(folded, sentence, hit.start):
            said = mark[0]
        prefixes = _prefixes()
        prefix = prefixes[said]
        if prefix == _BLOOD or hit.name.startswith(tuple(prefixes.values())):
            # Blood, or its own name says what was examined.
            return hit.name
        # The cells of a fluid are counted in percent, too.
        name = hit.name.removesuffix("百分比")
        for own in (prefix + hit.name, prefix + name):
            if own in self._known.analytes:
                return own
        elsewhere = prefix in hit.name or name not in _IN_FLUIDS
        return hit.name if elsewhere else None

    def _of(
        self, hit: Hit, folded: str, limit: int, number: Quantity | None, patient: Patient
    ) -> Iterable[Result]:
        vital = self._known.analytes[hit.name].kind == "vital"
        short = vital and hit.parts[0][1] - hit.parts[0][0] < _SHORTEST_VITAL
        share = folded[hit.start : hit.end] in _SHARES
        word = None if short or share else _WORD.search(folded, hit.end, limit)
        if number is not None and _BETWEEN.search(folded, hit.end, number.start):
            number = None
        if word is not None and number is not None and word.start() > number.end:
            # 钾 3.0mmol/L, ↑ belongs to the number only right behind it.
            near = _BETWEEN.search(folded, number.end, word.start())
            word = None if near else word
        elif word is not None and _BETWEEN.search(folded, hit.end, word.start()):
            word = None
        if word is not None:
            yield from _by_word(hit, word)
        elif number is not None and _is_result(hit, number, folded, vital=vital, share=share):
            yield from _by_number(hit, number, patient)


def _is_result(hit: Hit, number: Quantity, folded: str, *, vital: bool, share: bool) -> bool:
    """Whether the number is the analyte's; of a letter of `_SHARES`, only percent right behind."""
    if share:
        percent = number.unit is not None and number.unit.code == "%"
        return percent and bool(_RIGHT_BEHIND.fullmatch(folded, hit.end, number.start))
    return not vital or bool(number.unit) or _is_vital(hit, number, folded)


def _is_vital(hit: Hit, number: Quantity, folded: str) -> bool:
    """Whether a number without a unit, right behind the name of a vital sign, can be one:
    BP 88/52 is, T 12 is a vertebra."""
    if not _RIGHT_BEHIND.fullmatch(folded, hit.end, number.start):
        return False
    if hit.name == _PRESSURE:
        return number.shape == "pair" and all(map(is_plausible, _PRESSURES, number.values))
    return number.shape in ("one", "range") and is_plausible(hit.name, number.high)


def _course(own: Sequence[Quantity], folded: str) -> Sequence[Quantity | None]:
    """The first number, and the one that it has become (从118降到86): either may be the finding."""
    if len(own) > 1 and _BECAME.fullmatch(folded, own[0].end, own[1].start):
        return own[:2]
    return own[:1] or [None]


def _strongest(results: Iterable[Result]) -> list[Result]:
    """Without what is denied of one number and found in the other, and nothing twice."""
    found = list(dict.fromkeys(results))
    present = {result.finding for result in found if result.present}
    return [result for result in found if result.present or result.finding not in present]


def _by_word(hit: Hit, word: re.Match[str]) -> Iterator[Result]:
    start, end = hit.start, word.end()
    name = hit.name
    parts = _PRESSURES if name == _PRESSURE else (name,)
    above = [_named(part, "升高") for part in parts]
    below = [_named(part, "降低") for part in parts]
    if word["normal"]:
        for finding in dict.fromkeys((*above, *below, f"{name}阳性")):
            yield Result(finding, start, end, False)
    elif word["no"]:
        for finding in dict.fromkeys(below if word["low"] else above):
            yield Result(finding, start, end, False)
    elif word["high"]:
        yield Result(above[0], start, end, True)
    elif word["low"]:
        yield Result(below[0], start, end, True)
    elif word["positive"]:
        yield Result(f"{name}阳性", start, end, True)
    else:
        yield Result(f"{name}阳性", start, end, False)
        yield Result(f"{name}阴性", start, end, True)


def _named(name: str, result: str) -> str:
    """What 升高 or 降低 of an analyte is called: 体温升高 is 发热."""
    called = (row.above if result == "升高" else row.below for row in ranges_of(name))
    return next(called, f"{name}{result}")


def _by_number(hit: Hit, number: Quantity, patient: Patient) -> Iterator[Result]:
    if hit.name == _PRESSURE:
        if number.shape == "pair" and len(number.values) == 2:
            for part, value in zip(_PRESSURES, number.values, strict=True):
                one = number if number.unit else None
                yield from _judged(part, hit, number.end, (value, value), one, patient)
        return
    if number.shape not in ("one", "range"):
        return
    values = (number.low, number.high)
    name = hit.name
    if name in _FRACTIONS and not number.unit and number.high < 1:
        name, values = _FRACTIONS[name], (number.low * 100, number.high * 100)
    yield from _judged(name, hit, number.end, values, number, patient)


def _judged(
    name: str,
    hit: Hit,
    end: int,
    values: Sequence[object],
    number: Quantity | None,
    patient: Patient,
) -> Iterator[Result]:
    """What a value of an analyte shows, and what it excludes."""
    row = _fitting(ranges_of(name), number, patient)
    if row is not None:
        low, high = (row.in_unit(value, number) for value in values)
        comparator = number.comparator if number is not None else ""
        above = row.high is not None and low > row.high and comparator not in ("<", "<=")
        below = row.low is not None and high < row.low and comparator not in (">", ">=")
        if row.high is not None and high > row.high:
            above = above or low != high
        # What is too high says nothing by not being too low.
        if row.high is not None and not below:
            yield Result(row.above, hit.start, end, above)
        if row.low is not None and not above:
            yield Result(row.below, hit.start, end, below)
    for grade in grades(name):
        if grade.fits(patient.age_years, number) and grade.has(grade.in_unit(values[-1], number)):
            yield Result(grade.finding, hit.start, end, True)


def _fitting(rows: Sequence[Range], number: Quantity | None, patient: Patient) -> Range | None:
    """The first row of the patient's group in the unit that is written."""
    return next(
        (row for row in rows if row.fits(patient.age_years, number) and row.is_of(patient.sex)),
        None,
    )
