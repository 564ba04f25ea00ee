"""An event of a stay: what it is, how much it matters, when it was, and where the record has it."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from assistant.record.evidence import TextSpan

EventKind = Literal[
    "admission_reason",
    "operation",
    "operation_finding",
    "complication",
    "transfusion",
    "intensive_care",
    "pathology",
    "microbiology",
    "examination",
    "result",
    "drug",
    "drug_change",
    "treatment",
    "device",
    "consultation",
    "pending_result",
    "discharge_condition",
    "discharge_drug",
    "advice",
]
KIND_ZH: dict[EventKind, str] = {
    "admission_reason": "入院原因",
    "operation": "手术操作",
    "operation_finding": "术中所见",
    "complication": "并发症与病情变化",
    "transfusion": "输血",
    "intensive_care": "重症监护",
    "pathology": "病理",
    "microbiology": "病原学",
    "examination": "检查所见",
    "result": "检验及其转归",
    "drug": "住院用药",
    "drug_change": "用药调整",
    "treatment": "其他治疗",
    "device": "管道",
    "consultation": "会诊",
    "pending_result": "待回报结果",
    "discharge_condition": "出院情况",
    "discharge_drug": "出院带药",
    "advice": "出院嘱托",
}
Importance = Literal["must", "useful"]
IMPORTANCE_ZH: dict[Importance, str] = {"must": "必须写", "useful": "可补充"}


class Value(BaseModel):
    """A result that an event tells: the test's name and the value with its unit, as written."""

    model_config = ConfigDict(frozen=True)

    test: str
    written: str
    normal: bool = False
    """Whether words such as 恢复正常 tell it as well."""


class CourseEvent(BaseModel):
    """One event.

    ``text`` is the ready sentence: ``when``, then ``matter``, made of the record's words alone.

    What a text must say to tell it: the drugs (``stopped``: that they were stopped; in one
    sentence with ``dose``), the values, ``words``, each of which it must support as the checker
    reads it, and one of ``any_words``; ``loose``: most of the words in one sentence are enough.
    ``day`` is None where no date is known.
    """

    model_config = ConfigDict(frozen=True)

    kind: EventKind
    importance: Importance
    when: str = ""
    matter: str
    day: date | None = None
    evidence: tuple[TextSpan, ...] = Field(min_length=1)
    drugs: tuple[str, ...] = ()
    stopped: bool = False
    dose: str = ""
    again: bool = False
    """Whether it is a later value of a test."""

    values: tuple[Value, ...] = ()
    words: tuple[str, ...] = ()
    any_words: tuple[str, ...] = ()
    loose: bool = False

    @property
    def text(self) -> str:
        """The sentence that tells it."""
        return f"{self.when}{self.matter}。"
