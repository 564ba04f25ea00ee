"""What the product read at each labelled mention."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assistant.tasks.structuring.entity import Entity
from assistant.tasks.structuring.span import EntityType
from eval.clinical.assertion.snippet import Kind, Mention
from knowledge.text.finding import Certainty, Experiencer, Polarity, Temporality

_FINDINGS = frozenset({EntityType.DISEASE, EntityType.SYMPTOM, EntityType.SIGN})
_TYPES: dict[Kind, frozenset[EntityType]] = {
    "problem": _FINDINGS,
    "normal": _FINDINGS,
    "allergy": _FINDINGS | {EntityType.DRUG},
    "procedure": _FINDINGS | {EntityType.PROCEDURE, EntityType.TEST, EntityType.IMAGING},
}


@dataclass(frozen=True)
class Reading:
    """How the entity at a mention is meant, in the words of the labels."""

    text: str
    present: bool
    certain: bool
    temporality: str
    of_patient: bool

    @property
    def described(self) -> str:
        """``胸痛: absent, certain, current, patient``."""
        polarity = "present" if self.present else "absent"
        certainty = "certain" if self.certain else "uncertain"
        person = "patient" if self.of_patient else "another"
        return f"{self.text}: {polarity}, {certainty}, {self.temporality}, {person}"


def read_at(mention: Mention, entities: Sequence[Entity]) -> Reading | None:
    """The reading of the likest entity that covers at least half of ``mention``; None: not found.

    An allergy is asserted only by an allergen, or by words that say so themselves.
    """
    entity = _likest(mention, entities)
    if entity is None:
        return None
    present = entity.polarity is Polarity.PRESENT
    if mention.kind == "allergy":
        present = present and (entity.allergen or "过敏" in entity.text)
    return Reading(
        text=entity.text,
        present=present,
        certain=entity.certainty is Certainty.CERTAIN,
        temporality={Temporality.PAST: "past", Temporality.HYPOTHETICAL: "hypothetical"}.get(
            entity.temporality, "current"
        ),
        of_patient=entity.subject is Experiencer.PATIENT,
    )


def _likest(mention: Mention, entities: Sequence[Entity]) -> Entity | None:
    best: tuple[float, Entity] | None = None
    for entity in entities:
        if entity.type not in _TYPES[mention.kind]:
            continue
        shared = min(entity.end, mention.end) - max(entity.start, mention.start)
        if 2 * shared < mention.end - mention.start or shared <= 0:
            continue
        union = max(entity.end, mention.end) - min(entity.start, mention.start)
        likeness = shared / union
        if best is None or likeness > best[0]:
            best = likeness, entity
    return best[1] if best else None
