"""Files → the rows that are learnt and those held out: screened, apart from evaluation sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.training.lm import screening
from assistant.training.lm.lines import Row, read, texts_of, without
from assistant.training.lm.settings import Method

_HELD, _HELD_MOST = 0.05, 64


@dataclass(frozen=True, slots=True)
class Prepared:
    """``overlapping``: how many rows were left out, as an evaluation set shares text with them;
    ``files``: what `screening.facts_of` tells of each."""

    rows: list[Row]
    held: list[Row]
    overlapping: int
    files: list[dict[str, Any]]

    def __str__(self) -> str:
        return (
            f"样本 lines: {len(self.rows)}，留出 held out {len(self.held)}，"
            f"重叠剔除 overlapping {self.overlapping}"
        )


def prepared(
    data: Sequence[Path],
    method: Method,
    held: Sequence[Path] = (),
    apart: Sequence[Path] = (),
    *,
    named: bool = False,
) -> Prepared:
    """Read ``data``; ``held``: rows to measure the loss on, where empty a twentieth of the data.

    Raises:
        DatasetInvalid: a file cannot be read, or a row tells who somebody is and not ``named``.
    """
    rows = read(data, method)
    files = screening.facts_of(data)
    if not named and not all(one["deidentified"] for one in files):
        screening.refuse_named(rows)
    rows, overlapping = without(rows, (text for file in apart for text in texts_of(file)))
    if not held:
        return Prepared(*_held_out(rows), overlapping, files)
    measured = read(held, method)
    rows, more = without(rows, (row.content for row in measured))
    return Prepared(rows, measured, overlapping + more, files)


def _held_out(rows: list[Row]) -> tuple[list[Row], list[Row]]:
    """Every so manyth row is held out; of few rows one."""
    count = min(_HELD_MOST, max(1, round(len(rows) * _HELD)))
    if len(rows) < 2:
        return rows, []
    places = {round((number + 0.5) * len(rows) / count) for number in range(count)}
    return (
        [row for place, row in enumerate(rows) if place not in places],
        [row for place, row in enumerate(rows) if place in places],
    )
