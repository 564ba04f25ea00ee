"""IMCS-V2-MRG: the report of a consultation in six sections, under Rouge-L.

``主诉：…``, a line a section after the first line.  Every section of every gold report counts once;
a section that the answer lacks is an empty text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eval.promptcblue import grammar
from eval.promptcblue.rouge import rouge_l, tokens
from eval.promptcblue.sample import Sample
from eval.promptcblue.tally import Tally, ratio
from eval.promptcblue.task import Choices, Flaw, Parsed, Task, flaws

LEAD = "上述问诊对话的诊疗报告如下："
SECTIONS = ("主诉", "现病史", "辅助检查", "既往史", "诊断", "建议")


class VisitReport(Task):
    """An answer maps sections to their text."""

    metric = "Rouge-L"

    def parse(self, text: str, choices: Choices) -> Parsed:
        """See `Task.parse`."""
        lines = text.strip().split("\n")[1:]
        report: dict[str, str] = {}
        for section in SECTIONS:
            mark = f"{section}："
            for line in lines:
                if line.startswith(mark):
                    report[section] = line.strip().split(mark)[-1].strip()
        marks = tuple(f"{section}：" for section in SECTIONS)
        return Parsed(
            report,
            flaws(
                (Flaw.EMPTY, not text.strip()),
                (Flaw.NO_ITEMS, bool(text.strip()) and not report),
                (
                    Flaw.DROPPED_LINE,
                    any(line.strip() and not line.startswith(marks) for line in lines),
                ),
            ),
        )

    def tally(self, golds: Sequence[Any], answers: Sequence[Any]) -> Tally:
        """See `Task.tally`."""
        return ratio([_row(gold, answer) for gold, answer in zip(golds, answers, strict=True)])

    def grammar(self, sample: Sample) -> str | None:
        """The six sections in order."""
        sections = [f'"\\n{section}：" text' for section in SECTIONS]
        text = grammar.free_text().replace("+", "*")
        return grammar.grammar(" ".join([grammar.literal(LEAD), *sections]), text=text)


def _row(gold: dict[str, str], answer: dict[str, str] | None) -> tuple[float, float]:
    if answer is None:
        return 0.0, float(len(gold))
    total = sum(
        rouge_l(tokens(answer.get(section, "")), tokens(text)) for section, text in gold.items()
    )
    return total, float(len(gold))
