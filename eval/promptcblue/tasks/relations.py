"""CMeIE and CMeIE-V2: triples of subject, relation, object.

``具有X关系的头尾实体对如下：头实体为A，尾实体为B。``: the relation is what stands between the first
two characters of a line and ``关系的头尾实体对``; pairs end in ``。``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eval.promptcblue import grammar
from eval.promptcblue.sample import Sample
from eval.promptcblue.tally import Tally, micro_f1
from eval.promptcblue.task import Choices, Flaw, OddLine, Parsed, Task, flaws

NOTHING = "没有指定类型的三元组"
_MARK = "关系的头尾实体对"
_BETWEEN = "，尾实体为"


class Relations(Task):
    """Items are (subject, relation, object)."""

    metric = "micro-F1"
    needs_choices = True

    def parse(self, text: str, choices: Choices) -> Parsed:
        """See `Task.parse`."""
        if choices is None:
            raise OddLine("no relations are offered")
        found: set[tuple[str, str, str]] = set()
        dropped = unknown = False
        for line in text.split("\n"):
            relation = line.partition(_MARK)[0][2:].strip()
            pairs = line.replace(f"具有{relation}{_MARK}如下：", "").split("。")
            for pair in pairs:
                head, between, rest = pair.partition(_BETWEEN)
                if not between:
                    dropped = dropped or bool(pair.strip())
                    continue
                tail = rest.partition(_BETWEEN)[0]
                unknown = unknown or relation not in choices
                found.add(
                    (
                        head.replace("头实体为", "").strip(),
                        relation,
                        tail.replace("尾实体为", "").strip(),
                    )
                )
        return Parsed(
            frozenset(found),
            flaws(
                (Flaw.EMPTY, not text.strip()),
                (Flaw.NO_ITEMS, text.strip() not in ("", NOTHING) and _MARK not in text),
                (Flaw.UNKNOWN_LABEL, unknown),
                (Flaw.DROPPED_LINE, dropped and _MARK in text),
            ),
        )

    def tally(self, golds: Sequence[Any], answers: Sequence[Any]) -> Tally:
        """See `Task.tally`."""
        return micro_f1(golds, answers)

    def grammar(self, sample: Sample) -> str | None:
        """A line for every offered relation in order, or that there is nothing."""
        relations = dict.fromkeys(sample.answer_choices or ())
        if not relations:
            return None
        starts = [f"具有{relation}{_MARK}如下：" for relation in relations]
        return grammar.grammar(
            f"{grammar.literal(NOTHING)} | "
            + ' "\\n" '.join(f"{grammar.literal(start)} pairs" for start in starts),
            pairs=f"pair{{0,{grammar.MAX_ITEMS}}}",
            pair=f'"头实体为" name {grammar.literal(_BETWEEN)} name "。"',
            name=grammar.free_text("，。"),
        )
