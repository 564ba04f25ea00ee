"""A statement whose truth is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from knowledge.text.finding import Span

ErrorKind = Literal[
    "dose",
    "unit",
    "number",
    "date",
    "side",
    "negation",
    "drug",
    "wrong_patient",
    "earlier_stay",
]
TruthKind = Literal["verbatim", "reordered", "shortened", "merged", "synonym"]

ERRORS: dict[ErrorKind, str] = {
    "dose": "剂量用法",
    "unit": "单位",
    "number": "数值",
    "date": "日期",
    "side": "侧别",
    "negation": "否定",
    "drug": "药名",
    "wrong_patient": "他人病历",
    "earlier_stay": "既往住院",
}
TRUTHS: dict[TruthKind, str] = {
    "verbatim": "原句",
    "reordered": "语序调整",
    "shortened": "删减分句",
    "merged": "合并句子",
    "synonym": "同义改写",
}


@dataclass(frozen=True, slots=True)
class Trial:
    """One statement about the record ``record``.

    ``source`` is the sentence that it was made from, at ``span`` of the record (of another record
    for ``wrong_patient``).  Where a part of it was exchanged, ``text`` has ``after`` at ``at``, and
    ``source`` had ``before`` there.  ``of_stay``: it is told as of this stay.
    """

    record: str
    kind: ErrorKind | TruthKind
    text: str
    source: str
    span: Span
    at: int = -1
    before: str = ""
    after: str = ""
    of_stay: bool = False

    @property
    def true(self) -> bool:
        """Whether the statement is true of the record."""
        return self.kind in TRUTHS


def exchanged(
    record: str, kind: ErrorKind, source: str, span: Span, at: int, before: str, after: str
) -> Trial:
    """The trial that ``source`` becomes with ``after`` in the place of ``before``."""
    assert source[at : at + len(before)] == before, "the part to exchange stands elsewhere"
    text = source[:at] + after + source[at + len(before) :]
    return Trial(record, kind, text, source, span, at, before, after)
