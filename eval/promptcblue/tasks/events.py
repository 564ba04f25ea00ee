"""CHIP-CDEE: clinical finding events, a line an event after the first line.

``主体词：…；发生状态：…；描述词：…，…；解剖部位：…``; an event counts as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eval.promptcblue import grammar
from eval.promptcblue.sample import Sample
from eval.promptcblue.tally import Tally, micro_f1
from eval.promptcblue.task import Choices, Flaw, Parsed, Task, flaws

LEAD = "上述句子中的临床发现事件如下："
_SINGLE = ("主体词", "发生状态")
_SEVERAL = ("描述词", "解剖部位")
_FIELDS = (*_SINGLE, *_SEVERAL)

Event = tuple[str, str, tuple[str, ...], tuple[str, ...]]


class Events(Task):
    """Items are (主体词, 发生状态, 描述词…, 解剖部位…); every line after the first is one."""

    metric = "micro-F1"

    def parse(self, text: str, choices: Choices) -> Parsed:
        """See `Task.parse`."""
        lines = text.split("\n")[1:]
        events = [_event(line) for line in lines]
        return Parsed(
            frozenset(events),
            flaws(
                (Flaw.EMPTY, not text.strip()),
                (Flaw.NO_ITEMS, bool(text.strip()) and not lines),
                # An empty line is an event too, which is never right.
                (Flaw.DROPPED_LINE, ("", "", (), ()) in events),
            ),
        )

    def tally(self, golds: Sequence[Any], answers: Sequence[Any]) -> Tally:
        """See `Task.tally`."""
        return micro_f1(golds, answers)

    def grammar(self, sample: Sample) -> str | None:
        """Events with their four fields in order."""
        return grammar.grammar(
            f"{grammar.literal(LEAD)} event{{0,{grammar.MAX_EVENTS}}}",
            event='"\\n主体词：" word "；发生状态：" ("否定" | "不确定")? '
            '"；描述词：" words "；解剖部位：" words',
            words=grammar.listed("word"),
            word=grammar.free_text("，；"),
        )


def _event(line: str) -> Event:
    said: dict[str, str] = {}
    for part in line.split("；"):
        # A part may name one field inside another; what remains is looked at for the next one.
        rest = part
        for field in _FIELDS:
            if rest.startswith(f"{field}："):
                rest = rest.replace(f"{field}：", "").strip()
                said[field] = rest
    single = [said.get(field, "") for field in _SINGLE]
    several = [_words(said.get(field, "")) for field in _SEVERAL]
    return single[0], single[1], several[0], several[1]


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for part in text.split("，") if (word := part.strip()))
