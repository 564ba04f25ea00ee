"""How often: bid, 每日2次, 2次/日, 一天两次, q12h, 每晚, 1/日.

``data/frequencies.tsv`` has one way to write it a row.  q12h is kept apart from bid, as the doctor
did.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from knowledge.text.folding import fold
from knowledge.text.number import read_number

_N = (
    r"(?:\d{1,2}(?:[-~至]\d{1,2})?|[一二两三四五六七八九十]{1,2}(?:[至-][一二两三四五六七八九十])?)"
)
# 20mgqd: the unit of a dose, or a route, may stand right before a code.
_BEGIN = r"(?:(?<![a-z])|(?<=\d[gu])|(?<=m[gl])|(?<=iu)|(?<=po)|(?<=i[vmh])|(?<=gtt))"
# What a frequency can begin with: most places of a text are passed over at once.
_FIRST = r"\d一二两三四五六七八九十每隔间日早立即qbthsp"
_COUNTS = r"(?<![\d.])"


@dataclass(frozen=True, slots=True)
class Frequency:
    """How often at ``[start, end)``: ``low`` to ``high`` times in ``period``.

    ``period`` is 日, 晚, 晨, 周, 月, 隔日, 12小时, 3天, 2周 …, 即刻 for what is given once at once
    (st), and prn for what is given when it is needed.
    """

    start: int
    end: int
    period: str
    low: int = 1
    high: int = 1

    @property
    def value(self) -> str:
        """In one spelling: 日2, 12小时1, 日2-4, prn."""
        if self.is_as_needed:
            return "prn"
        times = f"{self.low}" if self.low == self.high else f"{self.low}-{self.high}"
        return f"{self.period}{times}"

    @property
    def is_as_needed(self) -> bool:
        """Whether it says no more than prn."""
        return self.period == "prn"

    @property
    def is_once(self) -> bool:
        """Whether it is given once, at once (st)."""
        return self.period == "即刻"

    def same(self, other: Frequency) -> bool:
        """Whether both say the same: bid is 每日2次, and not q12h."""
        return self.value == other.value


@cache
def frequency_rows() -> list[list[str]]:
    """The rows of the table: pattern, period, times, example, what the example comes to."""
    text = (files("knowledge.text") / "data" / "frequencies.tsv").read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]


@cache
def _pattern() -> re.Pattern[str]:
    rows = []
    for number, (pattern, *_) in enumerate(frequency_rows()):
        pattern = pattern.replace("{!a}", _BEGIN).replace("{!z}", "(?![a-z])")
        for slot in "nk":
            first = _COUNTS if pattern.startswith(f"{{{slot}}}") else ""
            pattern = pattern.replace(f"{{{slot}}}", f"{first}(?P<{slot}{number}>{_N})", 1)
        rows.append(f"(?P<r{number}>{pattern})")
    return re.compile(rf"(?=[{_FIRST}])(?:{'|'.join(rows)})")


def frequencies(text: str) -> list[Frequency]:
    """Every frequency of ``text``, from left to right."""
    found = []
    for match in _pattern().finditer(fold(text)):
        number = (match.lastgroup or "r0")[1:]
        _, period, times, *_ = frequency_rows()[int(number)]
        groups = match.groupdict()
        low, high = _range(groups.get(f"n{number}") or ("1" if times == "n" else times))
        every = groups.get(f"k{number}")
        if every:
            period = _period(every, period)
        end = match.start() + len(match[0].rstrip())
        found.append(Frequency(match.start(), end, period, low, high))
    return found


def _period(every: str, unit: str) -> str:
    low, high = _range(every)
    if (low, high, unit) == (2, 2, "天"):
        return "隔日"
    if low == high == 1:
        return {"天": "日", "小时": "1小时"}.get(unit, unit)
    return f"{low}{unit}" if low == high else f"{low}-{high}{unit}"


def _range(words: str) -> tuple[int, int]:
    first = read_number(words, 0)
    if first is None:
        return 1, 1
    if first.high is not None:
        return int(first.value), int(first.high)
    last = read_number(words, first.end + 1) if first.end + 1 < len(words) else None
    return int(first.value), int(last.value if last else first.value)
