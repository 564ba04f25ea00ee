"""The two tracks: which tasks they have, and how the text of an answer is read before parsing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from eval.promptcblue.task import Task
from eval.promptcblue.tasks.attributes import Attributes
from eval.promptcblue.tasks.causal import Causal
from eval.promptcblue.tasks.decision_tree import DecisionTree
from eval.promptcblue.tasks.entities import Entities
from eval.promptcblue.tasks.events import Events
from eval.promptcblue.tasks.labels import OTHER, Label
from eval.promptcblue.tasks.normalization import Normalization
from eval.promptcblue.tasks.relations import Relations
from eval.promptcblue.tasks.response import Response
from eval.promptcblue.tasks.visit_report import VisitReport

_WIDE = {":": "：", ",": "，", ";": "；"}
_MOST_WIDENED = 100
"""Marks of a kind that are replaced in one text, from its start."""

_NOT_ANNOTATED = "无实际意义的不标注或者和病人当前的状态独立不标注"


@dataclass(frozen=True, slots=True)
class Track:
    """A set of tasks that are ranked together."""

    name: str
    tasks: Mapping[str, Task]
    widens: bool

    def prepare(self, text: str) -> str:
        """The text as the track's parser sees it: with full-width marks, where it widens them."""
        if self.widens:
            for half, full in _WIDE.items():
                text = text.replace(half, full, _MOST_WIDENED)
        return text


def _tasks(relations: str, unknown_finding: str) -> list[Task]:
    return [
        Entities("CMeEE-V2"),
        Relations(relations),
        Normalization("CHIP-CDN"),
        Events("CHIP-CDEE"),
        Entities("IMCS-V2-NER"),
        Attributes("CHIP-MDCFNPC", "上述对话中临床发现实体以及其阴阳性判别如下：", unknown_finding),
        Attributes(
            "IMCS-V2-SR",
            "当前对话中的症状及其阴阳性判断为：",
            "无法根据上下文确定病人是否患有该症状",
        ),
        Label("IMCS-V2-DAC", OTHER, "macro", may_be_other=True),
        VisitReport("IMCS-V2-MRG"),
        Label("CHIP-CTC", OTHER, "macro", may_be_other=True),
        Label("CHIP-STS", "是的", "weighted", same={"相同": "是的", "不同": "不是"}),
        Label("KUAKE-IR", "相关", "weighted"),
        Label("KUAKE-QIC", OTHER, "macro", may_be_other=True),
        Label("KUAKE-QQR", "完全一致", "weighted"),
        Label("KUAKE-QTR", "完全不匹配或者没有参考价值", "weighted"),
        Response("MedDG"),
    ]


def _track(name: str, tasks: list[Task], *, widens: bool) -> Track:
    return Track(name, {task.name: task for task in tasks}, widens)


CCKS2023 = _track("ccks2023", _tasks("CMeIE", _NOT_ANNOTATED), widens=True)
CHIP2023 = _track(
    "chip2023",
    [*_tasks("CMeIE-V2", "不标注"), DecisionTree("Text2DT"), Causal("CMedCausal")],
    widens=False,
)

TRACKS = {track.name: track for track in (CCKS2023, CHIP2023)}
