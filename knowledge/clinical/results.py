"""Laboratory results and vital signs of a text as findings: 肌钙蛋白I 5.2 ng/ml is 肌钙蛋白升高.

A word or sign of the text (↑, 阳性, 正常) decides; else the number does, by the reference range of
the patient's age and sex in the unit that is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from importlib.resources import files

from knowledge.clinical.matcher import Hit, Matcher
from knowledge.clinical.vocabulary import Vocabulary
from knowledge.ranking.demographics import Sex
from knowledge.text.folding import fold
from knowledge.text.quantity import Quantity, quantities
from knowledge.text.units import Unit

_TAIL = 24
_STOP = re.compile(r"[。;\n]")
_HIGH = r"明显升高|显著升高|升高|增高|上升|偏高|增多|增加|↑|过高|超过正常|高于正常|延长"
_LOW = r"明显降低|明显下降|降低|下降|减低|减少|偏低|↓|过低|低于正常|缩短|不足"
_POSITIVE = r"弱阳性|强阳性|阳性|\(\+{1,4}\)|\+{1,4}|[1-4]\+|检出"
_NEGATIVE = r"阴性|\(-\)|-(?=[,。;、\s]|$)|未检出"
_WORD = re.compile(
    rf"(?P<normal>均?(?:在)?正常(?:范围)?|无异常|未见异常)|(?P<no>不|未见|无)?(?P<high>{_HIGH})|(?P<low>{_LOW})|(?P<positive>{_POSITIVE})|(?P<negative>{_NEGATIVE})"
)
_BEFORE = re.compile(r"(?:(?P<high>高|升高的)|(?P<low>低))\Z")
_BETWEEN = re.compile(r"[,;。\n]")


@dataclass(frozen=True, slots=True)
class Result:
    """``finding`` is shown (or, when not ``present``, excluded) by the text at ``[start, end)``."""

    finding: str
    start: int
    end: int
    present: bool


@dataclass(frozen=True, slots=True)
class Range:
    """A row of ``reference.tsv``; ``scale``: how much of ``unit`` one of the written unit is."""

    unit: Unit | None
    scale: Fraction
    sex: str
    years: tuple[float, float]
    low: Decimal | None
    high: Decimal | None
    below: str
    above: str


@lru_cache(maxsize=1)
def reference_ranges() -> Mapping[str, tuple[Range, ...]]:
    """The ranges by analyte, in the order of the table."""
    text = (files("knowledge.clinical") / "reference.tsv").read_text(encoding="utf-8")
    ranges: dict[str, list[Range]] = {}
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        analyte, unit, sex, young, old, low, high, below, above = [
            cell.strip() for cell in [*line.split("\t"), *[""] * 8][:9]
        ]
        # A power of ten is read as part of the number: 12×10⁹/L is 12,000,000,000 /L.
        one = quantities(f"1{unit}")[0] if unit else None
        ranges.setdefault(analyte, []).append(
            Range(
                one.unit if one else None,
                Fraction(one.low) if one else Fraction(1),
                sex,
                (float(young or 0), float(old or 130)),
                Decimal(low) if low else None,
                Decimal(high) if high else None,
                below or f"{analyte}降低",
                above or f"{analyte}升高",
            )
        )
    return {analyte: tuple(rows) for analyte, rows in ranges.items()}


class ResultReader:
    """Reads the results of the analytes of a vocabulary."""

    def __init__(self, known: Vocabulary) -> None:
        self._matcher = Matcher()
        self._qualitative = {a.name for a in known.analytes.values() if a.qualitative}
        for analyte in known.analytes.values():
            self._matcher.add(analyte.name, ((analyte.names,),))
        for name in reference_ranges():
            if name not in known.analytes:
                self._matcher.add(name, (((fold(name),),),))

    def read(
        self, folded: str, text: str, age_years: float | None, sex: Sex | None
    ) -> list[Result]:
        """The results of a text in its order."""
        hits = self._matcher.find(folded)
        if not hits:
            return []
        found = quantities(text)
        starts = [hit.start for hit in hits]
        results: list[Result] = []
        for number, hit in enumerate(hits):
            limit = min(
                hit.end + _TAIL, starts[number + 1] if number + 1 < len(hits) else len(text)
            )
            stop = _STOP.search(folded, hit.end, limit)
            limit = stop.start() if stop else limit
            results += self._of(hit, folded, limit, found, age_years, sex)
        return results

    def _of(
        self,
        hit: Hit,
        folded: str,
        limit: int,
        found: Sequence[Quantity],
        age_years: float | None,
        sex: Sex | None,
    ) -> Iterable[Result]:
        word = _WORD.search(folded, hit.end, limit)
        number = next((q for q in found if hit.end <= q.start < limit), None)
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
        elif number is not None:
            yield from _by_number(hit, number, age_years, sex)


def _by_word(hit: Hit, word: re.Match[str]) -> Iterator[Result]:
    start, end = hit.start, word.end()
    name = hit.name
    if word["normal"] or word["no"]:
        yield Result(f"{name}升高", start, end, False)
        if word["normal"]:
            yield Result(f"{name}降低", start, end, False)
            yield Result(f"{name}阳性", start, end, False)
    elif word["high"]:
        yield Result(_above(name), start, end, True)
    elif word["low"]:
        yield Result(_below(name), start, end, True)
    elif word["positive"]:
        yield Result(f"{name}阳性", start, end, True)
        yield Result(f"{name}阴性", start, end, False)
    else:
        yield Result(f"{name}阳性", start, end, False)
        yield Result(f"{name}阴性", start, end, True)


def _above(name: str) -> str:
    rows = reference_ranges().get(name)
    return rows[0].above if rows else f"{name}升高"


def _below(name: str) -> str:
    rows = reference_ranges().get(name)
    return rows[0].below if rows else f"{name}降低"


def _by_number(
    hit: Hit, number: Quantity, age_years: float | None, sex: Sex | None
) -> Iterator[Result]:
    row = _range(hit.name, number.unit, age_years, sex)
    if row is None or number.shape not in ("one", "range"):
        return
    factor = Fraction(1)
    if row.unit and number.unit:
        factor = number.unit.factor / row.unit.factor / row.scale
    low, high = (Fraction(value) * factor for value in (number.low, number.high))
    above = row.high is not None and low > row.high and number.comparator not in ("<", "<=")
    below = row.low is not None and high < row.low and number.comparator not in (">", ">=")
    if number.shape == "range" and row.high is not None and high > row.high:
        above = True
    if row.high is not None and row.above != row.below:
        yield Result(row.above, hit.start, number.end, above)
    if row.low is not None:
        yield Result(row.below, hit.start, number.end, below)


def _range(analyte: str, unit: Unit, age_years: float | None, sex: Sex | None) -> Range | None:
    rows = [
        row
        for row in reference_ranges().get(analyte, ())
        if (not row.sex or row.sex == sex)
        and row.years[0] <= (30.0 if age_years is None else age_years) < row.years[1] + 0.001
    ]
    if not unit:
        return rows[0] if rows else None
    return next((r for r in rows if r.unit is not None and unit.converts_to(r.unit)), None)
