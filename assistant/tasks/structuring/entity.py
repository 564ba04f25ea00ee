"""What a note says, as data: entities with their attributes, relations, codes.

Every offset counts Unicode code points of the note as it was given, end exclusive, and
``note[start:end]`` is the ``text`` that stands beside it, for entities as for times and values.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from assistant.draft import DISCLAIMER_ZH
from assistant.tasks.structuring.calendar_date import is_date
from assistant.tasks.structuring.span import TYPE_ZH, EntityType
from knowledge.text.finding import Certainty, Experiencer, Polarity, Temporality
from knowledge.text.quantity import Comparator
from knowledge.text.times import Anchor, TimeKind

Flag = Literal["high", "low", "normal", "abnormal", "positive", "negative"]

AttributeType = Literal[
    "time", "value", "dose", "route", "frequency", "duration", "condition", "side"
]
"""What a note says of an entity that is no entity itself."""


class Mention(BaseModel):
    """Words of the note."""

    model_config = ConfigDict(frozen=True)

    start: int = Field(ge=0)
    end: int = Field(ge=1)
    text: str = Field(min_length=1)

    @model_validator(mode="after")
    def _whole(self) -> Mention:
        if self.end - self.start != len(self.text):
            raise ValueError(f"{self.end - self.start} code points hold {len(self.text)}")
        return self


class TimeExpression(Mention):
    """When: a date, a time before or after something, how long, at what age.

    ``value`` is a date in ISO 8601 as far as it is known (``2024-03-05``, ``2024-03``), else "".
    ``days`` counts from ``anchor``, negative before it; for a duration it is its length.
    """

    kind: TimeKind
    value: str = ""
    days: float | None = None
    anchor: Anchor = ""

    @field_validator("value")
    @classmethod
    def _on_the_calendar(cls, value: str) -> str:
        """A day that no calendar has (2026年2月30日) is no date; its words stay."""
        return value if is_date(value) else ""


class Measurement(Mention):
    """What a test or a sign came to.

    ``value`` is the number in canonical form (``12.3``, ``130/80``), or the words of a result that
    is none (阴性); ``reference`` the range that the note gives.  ``flag`` follows an arrow or a
    word of the note, or the range: nothing is judged by ranges that the note does not give.
    """

    value: str
    unit: str = ""
    comparator: Comparator = ""
    flag: Flag | None = None
    reference: str = ""


class Coding(BaseModel):
    """A standard term for an entity; ``score`` in 0 … 1 is how sure the match is."""

    model_config = ConfigDict(frozen=True)

    system: str
    code: str = ""
    name: str
    score: float = Field(ge=0, le=1)


class Entity(Mention):
    """One thing that the note names, and how it means it.

    ``id`` is unique in the note.  ``side`` is 左, 右 or 双; ``codes`` has one standard term or more
    (冠心病、高血压 is two), none when nothing is like it.  ``allergen``: the patient
    does not bear this drug.  ``reassuring``: the words hold, and themselves deny the ``concept``
    (体温正常 denies 发热).  ``over``: an illness that was healed or
    resected.  ``source`` names what found the entity.
    """

    model_config = ConfigDict(frozen=False)

    id: str
    type: EntityType
    type_zh: str = ""
    polarity: Polarity = Polarity.PRESENT
    certainty: Certainty = Certainty.CERTAIN
    temporality: Temporality = Temporality.CURRENT
    subject: Experiencer = Experiencer.PATIENT
    section: str = ""
    concept: str = ""
    time: TimeExpression | None = None
    value: str | None = None
    unit: str | None = None
    comparator: Comparator = ""
    reference: str | None = None
    flag: Flag | None = None
    side: Literal["左", "右", "双"] | None = None
    allergen: bool = False
    reassuring: bool = False
    over: bool = False
    codes: list[Coding] = Field(default_factory=list)
    source: str = ""
    score: float = Field(default=1.0, ge=0, le=1)

    @model_validator(mode="before")
    @classmethod
    def _named(cls, values: object) -> object:
        if isinstance(values, dict) and not values.get("type_zh") and values.get("type"):
            return {**values, "type_zh": TYPE_ZH[EntityType(values["type"])]}
        return values

    @property
    def is_stated(self) -> bool:
        """Whether the note says it of the patient, now or earlier: what a relation may hold.  A
        drug that the patient does not bear is not."""
        return (
            self.polarity is Polarity.PRESENT
            and self.subject is Experiencer.PATIENT
            and not self.allergen
        )


class Argument(Mention):
    """One end of a relation: an entity by its id, an attribute of one, or other words of the note
    (流行病学, 预后 and what else is no entity)."""

    type: EntityType | AttributeType | Literal["other"]
    entity: str | None = None


class Relation(BaseModel):
    """``subject`` – ``predicate`` – ``object``, and the sentence that says so.

    ``kind`` is "attribute" for what belongs to one entity, "triple" for a relation between two
    clinical concepts.  ``source`` names the rule, the knowledge base or the model that holds it.
    """

    model_config = ConfigDict(frozen=True)

    kind: Literal["attribute", "triple"]
    subject: Argument
    predicate: str
    object: Argument
    evidence: Mention
    source: str
    score: float = Field(default=1.0, ge=0, le=1)


class Section(BaseModel):
    """A part of a note under its heading: ``[start, end)`` with the heading."""

    model_config = ConfigDict(frozen=True)

    name: str
    start: int
    end: int


class StructuredNote(BaseModel):
    """One note as data: a draft like everything else that Bedside writes."""

    kind: Literal["structured_note"] = "structured_note"
    note_id: str
    title: str = ""
    written_at: datetime | None = None
    length: int = Field(description="Code points of the note.")
    entities: list[Entity] = Field(default_factory=list)
    relations: list[Relation] = Field(default_factory=list)
    sections: list[Section] = Field(default_factory=list)
    model: str = Field(default="", description="What found the entities.")
    knowledge_version: str = ""
    warnings: list[str] = Field(default_factory=list)
    seconds: float = 0.0
    disclaimer: str = DISCLAIMER_ZH

    def entity(self, entity_id: str) -> Entity | None:
        """The entity of this id."""
        return next((e for e in self.entities if e.id == entity_id), None)


def names_allergen(entity: Entity, others: Sequence[Entity]) -> bool:
    """青霉素过敏 around the drug that is not borne: the drug says it, and one allergy is enough."""
    return (
        entity.type is EntityType.DISEASE
        and "过敏" in entity.text
        and any(
            o.allergen and o.type is EntityType.DRUG and entity.start <= o.start < entity.end
            for o in others
        )
    )
