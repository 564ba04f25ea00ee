"""CHIP-MDCFNPC and IMCS-V2-SR: findings with what is said of them, a line each after the first.

``呕吐：患有该症状``: exactly one ``：`` a line; an attribute that is not offered becomes `unknown`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from eval.promptcblue import grammar
from eval.promptcblue.sample import Sample
from eval.promptcblue.tally import Tally, micro_f1
from eval.promptcblue.task import Choices, Flaw, OddLine, Parsed, Task, flaws

_NAMED = re.compile(r"^临床发现实体[:：](.+)$", re.MULTILINE)


class Attributes(Task):
    """Items are (finding, attribute)."""

    metric = "micro-F1"
    needs_choices = True

    def __init__(self, name: str, lead: str, unknown: str) -> None:
        """``lead`` is the first line of a target, ``unknown`` stands for what is not offered."""
        super().__init__(name)
        self.lead = lead
        self.unknown = unknown

    def parse(self, text: str, choices: Choices) -> Parsed:
        """See `Task.parse`."""
        lines = text.split("\n")[1:]
        found: set[tuple[str, str]] = set()
        dropped = odd_label = False
        for line in lines:
            parts = line.split("：")
            if len(parts) != 2:
                dropped = dropped or bool(line.strip())
                continue
            if choices is None:
                raise OddLine("no attributes are offered")
            finding, attribute = parts
            if attribute not in choices:
                odd_label, attribute = True, self.unknown
            found.add((finding.strip(), attribute))
        return Parsed(
            frozenset(found),
            flaws(
                (Flaw.EMPTY, not text.strip()),
                (Flaw.NO_ITEMS, bool(text.strip()) and not found),
                (Flaw.UNKNOWN_LABEL, odd_label),
                (Flaw.DROPPED_LINE, dropped),
            ),
        )

    def tally(self, golds: Sequence[Any], answers: Sequence[Any]) -> Tally:
        """See `Task.tally`."""
        return micro_f1(golds, answers)

    def grammar(self, sample: Sample) -> str | None:
        """An offered attribute for each finding: those that the prompt names, else any."""
        if not sample.answer_choices:
            return None
        named = _NAMED.findall(sample.input)
        # Without a comma the line may be one finding, or several that nothing separates.
        listed = named[-1].split("，") if named and "，" in named[-1] else []
        findings = dict.fromkeys(finding.strip() for finding in listed)
        lead, label = grammar.literal(self.lead), grammar.one_of(sample.answer_choices)
        if findings:
            marks = (f"\n{finding}：" for finding in findings)
            lines = [f"{grammar.literal(mark)} label" for mark in marks]
            return grammar.grammar(" ".join([lead, *lines]), label=label)
        return grammar.grammar(
            f"{lead} line{{1,{grammar.MAX_EVENTS}}}",
            line='"\\n" finding "：" label',
            finding=grammar.free_text("：，"),
            label=label,
        )
