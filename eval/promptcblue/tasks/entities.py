"""CMeEE-V2 and IMCS-V2-NER: entities, a line a type.

``疾病实体：A，B``: a line belongs to every offered type that it begins with, followed by 实体.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eval.promptcblue import grammar
from eval.promptcblue.sample import Sample
from eval.promptcblue.tally import Tally, micro_f1
from eval.promptcblue.task import Choices, Flaw, OddLine, Parsed, Task, flaws

LEAD = "上述句子中的实体包含："
NOTHING = "上述句子没有指定类型实体"


class Entities(Task):
    """Items are (entity, type)."""

    metric = "micro-F1"
    needs_choices = True

    def parse(self, text: str, choices: Choices) -> Parsed:
        """See `Task.parse`."""
        if choices is None:
            raise OddLine("no types are offered")
        lines = text.split("\n")
        found: set[tuple[str, str]] = set()
        read: set[int] = set()
        for kind in choices:
            for place, line in enumerate(lines):
                if line.startswith(f"{kind}实体"):
                    read.add(place)
                    for mention in line.replace(f"{kind}实体：", "").split("，"):
                        if entity := mention.strip():
                            found.add((entity, kind))
        return Parsed(
            frozenset(found),
            flaws(
                (Flaw.EMPTY, not text.strip()),
                (Flaw.NO_ITEMS, text.strip() not in ("", NOTHING) and not read),
                (
                    Flaw.DROPPED_LINE,
                    any(
                        line.strip() and place not in read
                        for place, line in enumerate(lines[1:], start=1)
                    ),
                ),
            ),
        )

    def tally(self, golds: Sequence[Any], answers: Sequence[Any]) -> Tally:
        """See `Task.tally`."""
        return micro_f1(golds, answers)

    def grammar(self, sample: Sample) -> str | None:
        """A line for every offered type, in the order of the offer, or that there is nothing."""
        kinds = dict.fromkeys(sample.answer_choices or ())
        lines = [f"{grammar.literal(mark)} entities" for mark in (f"\n{k}实体：" for k in kinds)]
        return grammar.grammar(
            " ".join([grammar.literal(NOTHING), "|", grammar.literal(LEAD), *lines]),
            entities=grammar.listed("entity"),
            entity=grammar.free_text("，"),
        )
