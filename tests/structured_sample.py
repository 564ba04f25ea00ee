"""Entities, relations and notes to draw, made by hand so that their offsets are known."""

from __future__ import annotations

from typing import Any

from assistant.tasks.structuring.entity import Argument, Entity, Mention, Relation, StructuredNote
from assistant.tasks.structuring.span import EntityType

ATTACK = "<script>window.broken=1</script>\"><img src=x onerror='window.broken=2'>"


def entity(text: str, words: str, kind: EntityType, number: int = 1, **more: Any) -> Entity:
    """The first place of ``words`` in ``text``."""
    start = text.index(words)
    return Entity(
        id=f"e{number}", start=start, end=start + len(words), text=words, type=kind, **more
    )


def argument(of: Entity) -> Argument:
    return Argument(start=of.start, end=of.end, text=of.text, type=of.type, entity=of.id)


def words(text: str, part: str, kind: Any = "value") -> Argument:
    start = text.index(part)
    return Argument(start=start, end=start + len(part), text=part, type=kind)


def relation(
    text: str, subject: Argument, predicate: str, target: Argument, kind: Any = "attribute"
) -> Relation:
    return Relation(
        kind=kind,
        subject=subject,
        predicate=predicate,
        object=target,
        evidence=Mention(start=0, end=len(text), text=text),
        source="rule",
    )


def note(text: str, entities: list[Entity], relations: list[Relation] | None = None) -> Any:
    return StructuredNote(
        note_id="n1",
        title="入院记录",
        length=len(text),
        entities=entities,
        relations=relations or [],
        model="lexicon",
    )


def one(note: StructuredNote, text: str, kind: EntityType | None = None) -> Entity:
    found = [e for e in note.entities if e.text == text and kind in (None, e.type)]
    assert found, f"{text} is not among {[e.text for e in note.entities]}"
    return found[0]


def assert_exact(note: StructuredNote, text: str) -> None:
    """Everything that has offsets shows exactly the words at them."""
    for entity in note.entities:
        assert text[entity.start : entity.end] == entity.text
        if entity.time is not None:
            assert text[entity.time.start : entity.time.end] == entity.time.text
    for relation in note.relations:
        for words in (relation.subject, relation.object, relation.evidence):
            assert text[words.start : words.end] == words.text
