"""What a text says of how drugs are given, piece by piece, and the cues that part the pieces.

``data/regimen_cues.tsv`` has one cue a row.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from knowledge.text.amount import Quantity
from knowledge.text.frequency import Frequency, frequencies
from knowledge.text.regimen import Condition, is_dose
from knowledge.text.route import Route, routes

CueKind = Literal["change", "loading", "maintenance", "stop", "planned", "times", "duration"]

_STATE = r"[^,。;\n、()\d \t]{1,10}"
_LIMIT = r"[ \t]*[<>≥≤]?[ \t]*\d[\d./]*[ \t]*(?:mmhg|℃|度|次/分|mmol/l|分)?"
_WHEN = r"(?<![小当同平此定按及随暂即有院术餐饭短长届])时(?![间候期常有而段许])"
_TESTED = r"(?:体温|t|收缩压|sbp|bp|血压|血糖)"
_CONDITION = re.compile(
    rf"{_STATE}(?:{_LIMIT})?[ \t]*{_WHEN}|\({_TESTED}[^()]{{1,14}}\)"
    rf"|{_TESTED}[ \t]*(?:[<>≥≤]|高于|大于|超过|低于|小于){_LIMIT}"
)


@dataclass(frozen=True, slots=True)
class Cue:
    """Words at ``[start, end)`` that part or mark the facts of one drug."""

    start: int
    end: int
    kind: CueKind


Token = Quantity | Frequency | Route | Condition | Cue


@cache
def cue_rows() -> list[list[str]]:
    """The rows of the table of cues: kind, pattern, example."""
    text = (files("knowledge.text") / "data" / "regimen_cues.tsv").read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]


@cache
def _cues() -> re.Pattern[str]:
    return re.compile("|".join(f"(?P<r{n}>{row[1]})" for n, row in enumerate(cue_rows())))


def tokens_of(text: str, folded: str, found: Sequence[Quantity]) -> list[Token]:
    tokens: list[Token] = [*found, *frequencies(text), *routes(text)]
    read = [(t.start, t.end) for t in tokens if not isinstance(t, Quantity) or is_dose(t)]
    for match in _CONDITION.finditer(folded):
        # 100mg发热时: what is read already is no part of it.
        inside = [end for start, end in read if start < match.end() and end < match.end()]
        start = max([match.start(), *inside])
        tokens.append(Condition(start, match.end(), text[start : match.end()]))
    for match in _cues().finditer(folded):
        kind: CueKind = cue_rows()[int((match.lastgroup or "r0")[1:])][0]  # type: ignore[assignment]
        tokens.append(Cue(*match.span(), kind))
    return sorted(tokens, key=lambda token: (token.start, -token.end))
