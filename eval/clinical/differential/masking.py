"""Blanking out the diagnosis where the case itself names it."""

from __future__ import annotations

from collections.abc import Iterable

from assistant.record.case import CASE_FIELDS, Case
from knowledge.text.folding import fold

BLANK = "□"


def masked(text: str, names: Iterable[str]) -> str:
    """``text`` with every occurrence of the folded ``names`` blanked out, at the same length.

    A name of one character is let stand: it is part of too many words.
    """
    folded = fold(text)
    hidden = bytearray(len(text))
    for name in names:
        at = folded.find(name) if len(name) > 1 else -1
        while at >= 0:
            hidden[at : at + len(name)] = b"\1" * len(name)
            at = folded.find(name, at + 1)
    return "".join(BLANK if hide else each for each, hide in zip(text, hidden, strict=True))


def masked_case(case: Case, names: Iterable[str]) -> Case:
    """The case with every text field masked."""
    hidden = list(names)
    return case.model_copy(
        update={field: masked(getattr(case, field), hidden) for field in CASE_FIELDS}
    )
