"""What finds entities gives typed spans: where something is named, and what kind of thing it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class EntityType(StrEnum):
    """The kinds of things that a note names."""

    DISEASE = "disease"
    SYMPTOM = "symptom"
    SIGN = "sign"
    BODY_PART = "body_part"
    TEST = "test"
    IMAGING = "imaging"
    DRUG = "drug"
    PROCEDURE = "procedure"


TYPE_ZH: dict[EntityType, str] = {
    EntityType.DISEASE: "疾病",
    EntityType.SYMPTOM: "症状",
    EntityType.SIGN: "体征",
    EntityType.BODY_PART: "部位",
    EntityType.TEST: "检验",
    EntityType.IMAGING: "影像",
    EntityType.DRUG: "药物",
    EntityType.PROCEDURE: "手术操作",
}
"""The name of each type as a page shows it."""


@dataclass(frozen=True, slots=True)
class TypedSpan:
    """``[start, end)`` in code points of the text that was given, not empty.

    ``score`` in 0 … 1 is how sure the recogniser is.  Spans may nest; no two of one text are equal
    in start, end and type.
    """

    start: int
    end: int
    type: EntityType
    score: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise ValueError(f"a span cannot begin at {self.start} and end at {self.end}")


class Recognizer(Protocol):
    """Finds the entities of a text.  Safe to use from several threads."""

    @property
    def name(self) -> str:
        """What the source of an entity is called: a model with its version, or the lexicon."""
        ...

    def recognise(self, text: str) -> list[TypedSpan]:
        """The spans of ``text``, by start, then the longer first; any text is fine, empty too."""
        ...
