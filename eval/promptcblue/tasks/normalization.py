"""CHIP-CDN: which candidates are the standard names of a diagnosis as written.

``A，B`` in the last line; what is no candidate does not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eval.promptcblue import grammar
from eval.promptcblue.sample import Sample
from eval.promptcblue.tally import Tally, micro_f1
from eval.promptcblue.task import Choices, Flaw, OddLine, Parsed, Task, flaws

NONE_FITS = "没有对应的标准化实体"


class Normalization(Task):
    """Items are the chosen candidates."""

    metric = "micro-F1"
    needs_choices = True

    def parse(self, text: str, choices: Choices) -> Parsed:
        """See `Task.parse`."""
        named = [name for part in text.split("\n")[-1].split("，") if (name := part.strip())]
        if named and choices is None:
            raise OddLine("no candidates are offered")
        offered = frozenset(choices or ())
        return Parsed(
            offered & frozenset(named),
            flaws(
                (Flaw.EMPTY, not named),
                (Flaw.NOT_A_CANDIDATE, named != [NONE_FITS] and not offered.issuperset(named)),
            ),
        )

    def tally(self, golds: Sequence[Any], answers: Sequence[Any]) -> Tally:
        """See `Task.tally`."""
        return micro_f1(golds, answers)

    def grammar(self, sample: Sample) -> str | None:
        """Candidates, or that none fits."""
        candidates = dict.fromkeys(name for name in sample.answer_choices or () if name.strip())
        if not candidates:
            return grammar.grammar(grammar.literal(NONE_FITS))
        more = min(len(candidates), grammar.MAX_ITEMS) - 1
        return grammar.grammar(
            f'{grammar.literal(NONE_FITS)} | candidate ("，" candidate){{0,{more}}}',
            candidate=grammar.one_of(candidates),
        )
