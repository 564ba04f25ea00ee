"""A question → what it asks for, with what it leaves out taken from the one before."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

from assistant.tasks.record_qa.asked import MAX_LENGTH, Asked
from assistant.tasks.record_qa.draft import Focus
from assistant.tasks.record_qa.drugs import classes
from assistant.tasks.record_qa.reading import RecordReading
from assistant.tasks.record_qa.routing import kind_of
from assistant.tasks.record_qa.slots import read_slots
from knowledge.text.phrases import phrases_of


def read_question(text: str, reading: RecordReading, focus: Focus | None = None) -> Asked:
    """The question with its kind and slots; what it leaves out comes from ``focus``.

    ``kind`` is "" where no route takes it.
    """
    text = text.strip()[:MAX_LENGTH]
    asked = read_slots(text, reading)
    # After a question about somebody else 上一次呢 would mean a value of theirs.
    if focus is not None and focus.kind not in ("", "relative"):
        followed = _followed(asked, focus)
        if followed is not None:
            return followed
    return replace(asked, kind=kind_of(asked))


_LEADS_ON = re.compile(r"^(?:那么?|还有|再看|然后|换成)|呢[?？。]?$|^(?:它|这个)")
_TEST_KINDS = frozenset(
    {
        "highest",
        "lowest",
        "previous",
        "nth",
        "first",
        "normal",
        "on_day",
        "trend",
        "change",
        "latest",
    }
)
_DRUG_KINDS = frozenset({"drug", "drug_on", "drugs", "caution"})
_SHORT = 14
_BARE = phrases_of("assistant.tasks.record_qa")["bare"]
"""What a question that goes on may hold: anything else is a subject of its own."""


def _leaves_out(asked: Asked) -> bool:
    return _BARE.fullmatch(asked.folded) is not None


def _followed(asked: Asked, focus: Focus) -> Asked | None:
    """The question as it goes on from the one before; None where it stands for itself."""
    empty = not (
        asked.tests or asked.drugs or asked.classes or asked.terms or asked.calculator
        or asked.imaging or asked.section
    )  # fmt: skip
    short = len(asked.text) <= _SHORT
    if (
        empty
        and short
        and _leaves_out(asked)
        and (focus.tests or focus.drugs or focus.terms or focus.calculator)
    ):
        filled = replace(
            asked,
            tests=tuple(focus.tests),
            drugs=tuple(d for d in focus.drugs if d not in {c.name for c in classes()}),
            classes=tuple(d for d in focus.drugs if d in {c.name for c in classes()}),
            terms=tuple(focus.terms),
            followed=True,
        )
        kind = kind_of(filled)
        # 哪天？ asks for the day of the same; what has words of its own asks for another thing.
        if re.search(r"哪[天日]|什么时候|何时|几点|单位|正常值|参考", asked.folded) and kind in (
            "latest", "drug", "mention", "dates",
        ):  # fmt: skip
            kind = focus.kind
        if kind_of(asked) not in ("", "mention"):
            return None
        return replace(filled, kind=kind or focus.kind, calculator=focus.calculator)
    if not _LEADS_ON.search(asked.text) or not short:
        return None
    kind = kind_of(asked)
    if asked.tests and kind == "latest" and focus.kind in _TEST_KINDS:
        day = date.fromisoformat(focus.day) if focus.day else None
        return replace(
            asked,
            kind=focus.kind,
            count=asked.count or focus.count,
            day=asked.day or day,
            followed=True,
        )
    if (
        (asked.drugs or asked.classes)
        and kind in ("drug", "drugs", "")
        and (focus.kind in _DRUG_KINDS)
    ):
        return replace(asked, kind="drugs" if asked.classes else focus.kind, followed=True)
    if asked.terms and focus.kind in ("mention", "allergy"):
        return replace(asked, kind="mention", followed=True)
    return None
