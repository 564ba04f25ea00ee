"""The tasks that are answered with one label.

CHIP-STS, KUAKE-IR, KUAKE-QQR and KUAKE-QTR are described as micro-F1 and computed as the F1
weighted by class; CHIP-CTC, KUAKE-QIC and IMCS-V2-DAC take the macro-F1 over every string that gold
or the answers have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from eval.promptcblue import grammar
from eval.promptcblue.sample import Sample
from eval.promptcblue.tally import LabelTally, Tally
from eval.promptcblue.task import Choices, Flaw, Parsed, Task, flaws

OTHER = "非上述类型"


class Label(Task):
    """An answer is the text itself; an empty one becomes the first label of the task."""

    def __init__(
        self,
        name: str,
        first: str,
        average: Literal["weighted", "macro"],
        *,
        may_be_other: bool = False,
        same: Mapping[str, str] | None = None,
    ) -> None:
        """``first`` is the task's first label, ``same`` maps other words for a label to it.

        ``may_be_other`` says that `OTHER` may be answered although the prompt does not offer it.
        """
        super().__init__(name)
        self.first = first
        self._average = average
        self._may_be_other = may_be_other
        self._same = dict(same or {})

    @property
    def metric(self) -> str:
        """See `Task.metric`."""
        return f"{self._average} F1"

    def parse(self, text: str, choices: Choices) -> Parsed:
        """See `Task.parse`."""
        said = text.strip()
        label = self._same.get(said, said) or self.first
        known = {*(choices or ()), *([OTHER] if self._may_be_other else ())}
        return Parsed(
            label,
            flaws(
                (Flaw.EMPTY, not said),
                (Flaw.UNKNOWN_LABEL, bool(said) and choices is not None and label not in known),
            ),
        )

    def tally(self, golds: Sequence[Any], answers: Sequence[Any]) -> Tally:
        """See `Task.tally`."""
        return LabelTally(golds, answers, self._average)

    def grammar(self, sample: Sample) -> str | None:
        """One of the offered labels."""
        offered = [*(sample.answer_choices or ()), *([OTHER] if self._may_be_other else ())]
        return grammar.grammar(grammar.one_of(offered)) if offered else None
