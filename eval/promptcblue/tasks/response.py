"""MedDG: the doctor's next sentence, free text under Rouge-L."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eval.promptcblue.rouge import rouge_l, tokens
from eval.promptcblue.sample import Sample
from eval.promptcblue.tally import Tally, ratio
from eval.promptcblue.task import Choices, Flaw, Parsed, Task, flaws


class Response(Task):
    """An answer is its text."""

    metric = "Rouge-L"

    def parse(self, text: str, choices: Choices) -> Parsed:
        """See `Task.parse`."""
        said = text.strip()
        return Parsed(said, flaws((Flaw.EMPTY, not said)))

    def tally(self, golds: Sequence[Any], answers: Sequence[Any]) -> Tally:
        """See `Task.tally`."""
        return ratio(
            [
                (0.0 if answer is None else rouge_l(tokens(answer), tokens(gold)), 1.0)
                for gold, answer in zip(golds, answers, strict=True)
            ]
        )

    def grammar(self, sample: Sample) -> str | None:
        """Nothing is barred."""
        return None
