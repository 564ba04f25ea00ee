"""What belongs to an entity: when, how much, by which way, on which side, at which part."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence

from assistant.tasks.structuring.doses import Regimens
from assistant.tasks.structuring.entity import (
    Argument,
    AttributeType,
    Entity,
    Measurement,
    Mention,
    Relation,
    TimeExpression,
)
from assistant.tasks.structuring.measurements import Measurements, limits, numbers
from assistant.tasks.structuring.sentences import Ranges, trimmed
from assistant.tasks.structuring.span import EntityType, TypedSpan
from knowledge.text.folding import fold

_HOW_LONG = re.compile(
    r"(?:病史|史|反复发作|反复|间断|持续|伴有?|加重|发作|症状|已|约|近|余|共|[,:(\s])*",
    re.IGNORECASE,
)
_LIST = re.compile(r"[、,和及与伴]{1,2}")
_SIDE = re.compile(r"(?P<side>[左右双两])")
_PART_REACH = 16
_NOT_TIMED = frozenset({EntityType.BODY_PART})
_ATTACHED = frozenset({EntityType.SIGN, EntityType.SYMPTOM, EntityType.DISEASE})


def argument(entity: Entity) -> Argument:
    """An entity as an end of a relation."""
    return Argument(
        start=entity.start, end=entity.end, text=entity.text, type=entity.type, entity=entity.id
    )


def _attribute(words: Mention, kind: AttributeType) -> Argument:
    return Argument(start=words.start, end=words.end, text=words.text, type=kind)


class AttributeLinks:
    """Links the entities of one text to their attributes.

    ``link`` fills the attributes of the entities in place and gives the links as relations.
    """

    def __init__(self, text: str, sentences: Ranges, clauses: Ranges) -> None:
        self._text = text
        self._folded = fold(text)
        self._sentences = sentences
        self._clauses = clauses
        self._relations: list[Relation] = []

    def link(self, entities: Sequence[Entity], times: Sequence[TimeExpression]) -> list[Relation]:
        """The attribute relations of ``entities`` (in text order)."""
        self._relations = []
        self._link_times(entities, times)
        found = numbers(self._text)
        self._link_values(entities, Measurements(self._text, found))
        drugs = [e for e in entities if e.type is EntityType.DRUG]
        self._link_drugs(drugs, Regimens(self._text, found))
        self._link_parts(entities)
        return self._relations

    def evidence(self, start: int, end: int) -> Mention:
        """The sentence, or the neighbouring sentences, that hold ``[start, end)``."""
        first, _ = self._sentences.at(start)
        _, last = self._sentences.at(max(start, end - 1))
        first, last = trimmed(self._text, first, max(last, end))
        return Mention(start=first, end=last, text=self._text[first:last])

    def _add(self, entity: Entity, predicate: str, words: Mention, kind: AttributeType) -> None:
        start, end = min(entity.start, words.start), max(entity.end, words.end)
        self._relations.append(
            Relation(
                kind="attribute",
                subject=argument(entity),
                predicate=predicate,
                object=_attribute(words, kind),
                evidence=self.evidence(start, end),
                source="rule",
            )
        )

    # -- time ----------------------------------------------------------------------------------

    def _link_times(self, entities: Sequence[Entity], times: Sequence[TimeExpression]) -> None:
        """How long something has been, else the last time named before it in its sentence."""
        timed = [time for time in times if time.kind != "age"]
        starts = [time.start for time in timed]
        lasting = [self._lasting(entity, timed, starts) for entity in entities]
        # What is listed before it lasts as long: 胸闷、气促5年.
        for number in range(len(entities) - 2, -1, -1):
            if lasting[number] is None and self._is_listed(entities[number], entities[number + 1]):
                lasting[number] = lasting[number + 1]
        for entity, how_long in zip(entities, lasting, strict=True):
            if entity.type in _NOT_TIMED:
                continue
            time = how_long or self._before(entity, timed, starts)
            if time is not None:
                entity.time = time
                self._add(entity, "时间", time, "time")

    def _is_listed(self, entity: Entity, following: Entity) -> bool:
        both = entity.type in _ATTACHED and following.type in _ATTACHED
        return both and _LIST.fullmatch(self._folded[entity.end : following.start]) is not None

    def _lasting(
        self, entity: Entity, times: Sequence[TimeExpression], starts: list[int]
    ) -> TimeExpression | None:
        if entity.type not in _ATTACHED:
            return None
        index = bisect_left(starts, entity.end)
        if index == len(times) or times[index].start > entity.end + 12:
            return None
        time = times[index]
        gap = self._folded[entity.end : time.start]
        told = _HOW_LONG.fullmatch(gap) and (time.kind == "duration" or "," not in gap)
        return time if told and time.kind != "date" else None

    def _before(
        self, entity: Entity, times: Sequence[TimeExpression], starts: list[int]
    ) -> TimeExpression | None:
        index = bisect_left(starts, entity.start) - 1
        begin, _ = self._sentences.at(entity.start)
        while index >= 0 and times[index].start >= begin:
            if times[index].kind != "duration" and times[index].end <= entity.start:
                return times[index]
            index -= 1
        return None

    # -- values --------------------------------------------------------------------------------

    def _link_values(self, entities: Sequence[Entity], measured: Measurements) -> None:
        spans = [TypedSpan(e.start, e.end, e.type) for e in entities]
        for entity, span, limit in zip(
            entities, spans, limits(spans, len(self._text)), strict=True
        ):
            found = measured.of(span, limit)
            if found is not None:
                _fill(entity, found)
                self._add(
                    entity, "结果" if entity.type is EntityType.TEST else "大小", found, "value"
                )

    def _link_drugs(self, drugs: Sequence[Entity], regimens: Regimens) -> None:
        following = [*(drug.start for drug in drugs[1:]), len(self._text)][: len(drugs)]
        for drug, limit in zip(drugs, following, strict=True):
            regimen = regimens.of(drug.start, drug.end, max(limit, drug.end))
            if regimen.dose is not None:
                _fill(drug, regimen.dose)
                self._add(drug, "剂量", regimen.dose, "dose")
            if regimen.route is not None:
                self._add(drug, "给药途径", regimen.route[0], "route")
            if regimen.frequency is not None:
                self._add(drug, "频次", regimen.frequency[0], "frequency")

    # -- parts and sides -----------------------------------------------------------------------

    def _link_parts(self, entities: Sequence[Entity]) -> None:
        parts = [e for e in entities if e.type is EntityType.BODY_PART]
        for part in parts:
            self._set_side(part)
        starts = [part.start for part in parts]
        for entity in entities:
            if entity.type not in _ATTACHED:
                continue
            self._set_side(entity)
            place = self._inside(entity, parts, starts) or self._part_before(entity, parts, starts)
            if place is None:
                continue
            entity.side = entity.side or place.side
            self._relations.append(
                Relation(
                    kind="attribute",
                    subject=argument(entity),
                    predicate="部位",
                    object=argument(place),
                    evidence=self.evidence(place.start, entity.end),
                    source="rule",
                )
            )

    def _set_side(self, entity: Entity) -> None:
        side = _SIDE.match(entity.text)
        if side and entity.type is not EntityType.DRUG and len(entity.text) > 1:
            entity.side = {"左": "左", "右": "右"}.get(side["side"], "双")  # type: ignore[assignment]
            words = Mention(start=entity.start, end=entity.start + 1, text=self._text[entity.start])
            self._add(entity, "侧别", words, "side")

    @staticmethod
    def _inside(entity: Entity, parts: Sequence[Entity], starts: list[int]) -> Entity | None:
        index = bisect_left(starts, entity.start)
        if index < len(parts) and parts[index].end <= entity.end:
            return parts[index]
        return None

    def _part_before(
        self, entity: Entity, parts: Sequence[Entity], starts: list[int]
    ) -> Entity | None:
        index = bisect_left(starts, entity.start) - 1
        begin, _ = self._clauses.at(entity.start)
        while index >= 0 and parts[index].start >= max(begin, entity.start - 3 * _PART_REACH):
            part = parts[index]
            if part.end <= entity.start:
                return part if entity.start - part.end <= _PART_REACH else None
            index -= 1
        return None


def _fill(entity: Entity, found: Measurement) -> None:
    entity.value = found.value
    entity.unit = found.unit or None
    entity.comparator = found.comparator
    entity.flag = found.flag
    entity.reference = found.reference or None
