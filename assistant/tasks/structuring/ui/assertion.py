"""How an entity is meant, in words and in marks: never by colour alone."""

from __future__ import annotations

from assistant.tasks.structuring.entity import Entity
from assistant.tasks.structuring.export import quantity
from assistant.ui.strings import Text
from knowledge.text.finding import Certainty, Experiencer, Polarity, Temporality

_SIDES = {"左": "side.left", "右": "side.right", "双": "side.both"}
_ARROWS = {"high": "↑", "low": "↓"}


def kinds(entity: Entity) -> list[str]:
    """What sets the entity apart from one that the patient has now, for certain."""
    return [
        kind
        for kind, holds in (
            ("absent", entity.polarity is Polarity.ABSENT and not entity.reassuring),
            ("reassuring", entity.reassuring),
            ("uncertain", entity.certainty is Certainty.UNCERTAIN),
            ("past", entity.temporality is Temporality.PAST),
            ("hypothetical", entity.temporality is Temporality.HYPOTHETICAL),
            ("family", entity.subject is Experiencer.FAMILY),
            ("allergen", entity.allergen),
        )
        if holds
    ]


def words(entity: Entity, t: Text) -> list[str]:
    """The same in words, with the side."""
    said = [t(f"said.{kind}") for kind in kinds(entity)]
    return [*said, t(_SIDES[entity.side])] if entity.side else said


def mark(entity: Entity, t: Text) -> str:
    """A few letters that stand beside the words in the note; "" where there is nothing to say."""
    return "·".join(t(f"mark.{kind}") for kind in kinds(entity))


def result(entity: Entity, t: Text) -> str:
    """The value with its unit and flag, both as a sign and in words; "" without a value."""
    if entity.value is None:
        return ""
    return flagged(quantity(entity), entity.flag, t)


def flagged(value: str, flag: str | None, t: Text) -> str:
    """A value with ↑ 偏高 or the like behind it."""
    if flag is None or (flag in ("positive", "negative") and not value[:1].isdigit()):
        return value
    return f"{value} {_ARROWS.get(flag, '')}{t(f'flag.{flag}')}"


def when(entity: Entity) -> str:
    """The words of its time, with the date that they come to where that says more."""
    if entity.time is None:
        return ""
    value = entity.time.value
    return (
        f"{entity.time.text}（{value}）"
        if value and value != entity.time.text
        else entity.time.text
    )


def summary(entity: Entity, t: Text) -> str:
    """The entity in one line: what a tooltip says, and a screen reader reads."""
    parts = [
        f"{t(f'type.{entity.type.value}')}：{entity.text}",
        *words(entity, t),
        t("said.without", concept=entity.concept) if entity.reassuring and entity.concept else "",
        result(entity, t),
        when(entity),
        *(f"{code.code} {code.name}".strip() for code in entity.codes),
    ]
    return " · ".join(part for part in parts if part)
