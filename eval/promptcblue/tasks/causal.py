"""CMedCausal: causes, conditions and hypernyms in three sections.

A heading opens a section; its lines are ``头实体：A；尾实体：B``, in the section of conditions
``头实体：A；尾三元组：头实体：B；尾实体：C；关系：因果关系``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eval.promptcblue import grammar
from eval.promptcblue.sample import Sample
from eval.promptcblue.tally import Tally, micro_f1
from eval.promptcblue.task import Choices, Flaw, OddLine, Parsed, Task, flaws

CAUSE = "因果关系"
CONDITION = "条件关系"
HYPERNYM = "上下位关系"
NOTHING = "给定的文本没有指定关系的三元组"
_HEADINGS = (("因果关系三元组如下", CAUSE), ("条件关系三元组", CONDITION), (HYPERNYM, HYPERNYM))
_LEAD = "根据给定的文本抽取的"
_HEAD = "头实体："
_TAIL = "；尾实体："
_TAIL_TRIPLE = "；尾三元组："
_RELATION = "；关系："


class Causal(Task):
    """Items are (section, head, tail), a tail of a condition being such an item itself."""

    metric = "micro-F1"

    def parse(self, text: str, choices: Choices) -> Parsed:
        """See `Task.parse`."""
        found: set[tuple[str | None, str, Any]] = set()
        section: str | None = None
        headless = False
        for raw in text.split("\n"):
            line = raw.strip()
            heading = next((name for mark, name in _HEADINGS if mark in line), None)
            if heading is not None:
                section = heading
            elif NOTHING in line:
                break
            elif line:
                headless = headless or section is None
                found.add(_triple(line, section))
        return Parsed(
            frozenset(found), flaws((Flaw.EMPTY, not text.strip()), (Flaw.NO_ITEMS, headless))
        )

    def tally(self, golds: Sequence[Any], answers: Sequence[Any]) -> Tally:
        """See `Task.tally`."""
        return micro_f1(golds, answers)

    def grammar(self, sample: Sample) -> str | None:
        """The three sections in order, or that there is nothing."""
        pairs = f"pair{{1,{grammar.MAX_ITEMS}}}"
        conditions = f"condition{{1,{grammar.MAX_ITEMS}}}"
        return grammar.grammar(
            f"{grammar.literal(NOTHING)} | "
            'causes ("\\n" conditions)? ("\\n" hypernyms)? | '
            'conditions ("\\n" hypernyms)? | hypernyms',
            causes=f'"{_LEAD}{CAUSE}三元组如下：" {pairs}',
            conditions=f'"{_LEAD}{CONDITION}三元组如下：" {conditions}',
            hypernyms=f'"{_LEAD}{HYPERNYM}三元组如下：" {pairs}',
            pair=f'"\\n{_HEAD}" name "{_TAIL}" name',
            condition=f'"\\n{_HEAD}" name "{_TAIL_TRIPLE}{_HEAD}" name "{_TAIL}" name '
            f'"{_RELATION}{CAUSE}"',
            name=grammar.free_text("；："),
        )


def _after(text: str, mark: str) -> str:
    """What stands between the first ``mark`` and the second."""
    parts = text.split(mark)
    if len(parts) < 2:
        raise OddLine(f"a line without {mark.strip('；：')}")
    return parts[1]


def _triple(line: str, section: str | None) -> tuple[str | None, str, Any]:
    head = _after(line, _HEAD).split(_TAIL)[0]
    if section != CONDITION:
        return section, head, _after(line, _TAIL)
    triple = _after(line, _TAIL_TRIPLE)
    inner_head = _after(triple, _HEAD).split(_TAIL)[0]
    inner_tail = _after(triple, _TAIL).split(_RELATION)[0]
    relation = _after(triple, _RELATION)
    if relation != CAUSE:
        raise OddLine("a condition of something else than a cause")
    return section, head, (relation, inner_head, inner_tail)
