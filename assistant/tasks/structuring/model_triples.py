"""What a relation model reads, as relations of a note's entities."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from assistant.tasks.structuring.attributes import assertions
from assistant.tasks.structuring.entity import Argument, Entity, Mention, Relation
from assistant.tasks.structuring.relation_decoding import FoundTriple, Place
from assistant.tasks.structuring.relations import argument
from assistant.tasks.structuring.sentences import Ranges, trimmed
from assistant.tasks.structuring.span import EntityType, TypedSpan
from assistant.tasks.structuring.triples import schemas
from knowledge.text.document import Document
from knowledge.text.finding import Experiencer, Polarity

_TYPES: dict[str, EntityType] = {
    "疾病": EntityType.DISEASE,
    "症状": EntityType.SYMPTOM,
    "部位": EntityType.BODY_PART,
    "检查": EntityType.TEST,
    "药物": EntityType.DRUG,
    "手术治疗": EntityType.PROCEDURE,
    "其他治疗": EntityType.PROCEDURE,
}


def model_triples(
    text: str,
    entities: Sequence[Entity],
    sentences: Ranges,
    found: Sequence[FoundTriple],
    source: str,
) -> list[Relation]:
    """The triples of a model as relations, each with the sentence or sentences that hold it.

    An end that is an entity of the note is that entity; others stand by their words alone.  As with
    the rules, what is not stated (see `Entity.is_stated`) is in no triple.
    """
    known = {(entity.start, entity.end): entity for entity in entities}
    places = sorted({place for one in found for place in (one.subject, one.object)})
    stated = _stated(text, known, places)
    relations = []
    for one in found:
        if not (stated[one.subject] and stated[one.object]):
            continue
        types = _types(one.predicate)
        first = sentences.at(min(one.subject[0], one.object[0]))[0]
        last = sentences.at(max(one.subject[1], one.object[1]) - 1)[1]
        start, end = trimmed(text, first, last)
        relations.append(
            Relation(
                kind="triple",
                subject=_end(text, known, one.subject, types[0]),
                predicate=one.predicate,
                object=_end(text, known, one.object, types[1]),
                evidence=Mention(start=start, end=end, text=text[start:end]),
                source=source,
                score=one.score,
            )
        )
    return relations


def together(rules: Sequence[Relation], model: Sequence[Relation]) -> list[Relation]:
    """Both, what both say once: as the rules have it, whose words for it can be checked."""

    def key(relation: Relation) -> tuple[int, int, str, int, int]:
        subject, other = relation.subject, relation.object
        return subject.start, subject.end, relation.predicate, other.start, other.end

    said = {key(relation) for relation in rules}
    return [*rules, *(relation for relation in model if key(relation) not in said)]


def _stated(text: str, known: dict[Place, Entity], places: Sequence[Place]) -> dict[Place, bool]:
    """Whether the note states each place of the patient."""
    others = [place for place in places if place not in known]
    spans = [TypedSpan(start, end, EntityType.DISEASE) for start, end in others]
    said = {
        place: (meant.polarity, meant.experiencer) == (Polarity.PRESENT, Experiencer.PATIENT)
        for place, meant in zip(others, assertions(Document(text), spans, {}), strict=True)
    }
    return said | {place: known[place].is_stated for place in places if place in known}


def _end(text: str, known: dict[Place, Entity], place: Place, kind: EntityType | None) -> Argument:
    if place in known:
        return argument(known[place])
    start, end = place
    return Argument(start=start, end=end, text=text[start:end], type=kind or "other")


@lru_cache
def _types(predicate: str) -> tuple[EntityType | None, EntityType | None]:
    """The types of a predicate's ends, where all its schemas agree on one that notes have."""
    own = [schema for schema in schemas() if schema.predicate == predicate]
    first, last = {schema.subject for schema in own}, {schema.object for schema in own}
    return (
        _TYPES.get(first.pop()) if len(first) == 1 else None,
        _TYPES.get(last.pop()) if len(last) == 1 else None,
    )
