"""Genes and stains that came out positive or negative: EGFR 19del突变（+）, ALK(-), HER2阴性.

The structuring reads results of tests; pathology writes its markers in a way of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from assistant.record_index.vocabulary import table
from knowledge.text.folding import fold

_BETWEEN = (
    r"(?:基因|蛋白|检测|结果|表达|突变|融合|重排|扩增|外显子|[ :为呈示]"
    r"|(?:exon|e)?\d{1,2}(?:del|ins)?|[a-z]\d{2,4}[a-z]{0,3}|缺失|插入){0,6}?"
)
_RESULT = (
    r"(?P<negative>阴性|\((?:-|—)\)|野生型|未(?:见|检出|检测到|发现)(?:明显)?(?:突变|融合|重排|扩增)?|无突变)"
    r"|(?P<positive>阳性|\(\d?\+{1,4}\)|\(\d{1,3}%\+\)|突变型|\+{1,3}(?![\w])|有突变)"
    r"|(?P<changed>突变|融合|重排|扩增)(?=[,;。、)\s]|$)"
)


@dataclass(frozen=True, slots=True)
class Marker:
    """A marker with its outcome at ``[start, end)`` of the note."""

    name: str
    start: int
    end: int
    positive: bool
    value: str


def markers(text: str) -> Iterator[Marker]:
    """The markers of a note that have an outcome, in their order."""
    folded = fold(text)
    for match in _pattern().finditer(folded):
        # eGFR is a filtration rate.
        if text.startswith("eGFR", match.start()):
            continue
        said = match.start("result")
        yield Marker(
            _names()[match["name"]],
            match.start(),
            match.end(),
            match["negative"] is None,
            text[said : match.end()],
        )


@cache
def _names() -> dict[str, str]:
    found: dict[str, str] = {}
    for name, others in table("markers"):
        for one in (name, *others.split(",")):
            if one:
                found[fold(one)] = name
    return found


@cache
def _pattern() -> re.Pattern[str]:
    names = "|".join(map(re.escape, sorted(_names(), key=len, reverse=True)))
    return re.compile(
        rf"(?<![a-z0-9])(?P<name>{names})(?![a-z])(?:{_BETWEEN})(?P<result>{_RESULT})"
    )
