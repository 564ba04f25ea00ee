"""What belongs to an entity: when, how much, by which way, on which side, at which part."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence

from assistant.tasks.structuring.entity import (
    Argument,
    AttributeType,
    Entity,
    Measurement,
    Mention,
    Relation,
    TimeExpression,
)
from assistant.tasks.structuring.measurements import Measurements, limits
from assistant.tasks.structuring.sentences import Ranges, trimmed
from assistant.tasks.structuring.span import EntityType, TypedSpan
from assistant.tasks.structuring.time_links import TimeLinks
from knowledge.text.drugs import DrugMention
from knowledge.text.finding import Polarity, Temporality
from knowledge.text.folding import fold
from knowledge.text.frequency import Frequency
from knowledge.text.number import plain
from knowledge.text.quantity import Quantity, quantities
from knowledge.text.regimens import Condition, Regimen, RegimenReader
from knowledge.text.route import Route
from knowledge.text.times import Time

_SIDE = re.compile(r"(?P<side>[左右双两])")
_SIDE_INSIDE = re.compile(r"(?P<side>[左右双])(?:侧|叶)")
_SIDE_BEHIND = re.compile(r"\((?P<side>[左右双])(?:侧)?(?=[,、)])")
_SIDE_BEFORE = re.compile(r"(?P<side>[左右双])(?:侧|乳(?:触及|可及|扪及)?)\Z")
_PART_REACH = 16
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

    def link(self, entities: Sequence[Entity], times: Sequence[Time]) -> list[Relation]:
        """The attribute relations of ``entities`` (in text order)."""
        self._relations = []
        self._link_times(entities, times)
        found = quantities(self._text)
        drugs = [e for e in entities if e.type is EntityType.DRUG]
        mentions = [DrugMention(drug.start, drug.end, drug.text) for drug in drugs]
        regimens = RegimenReader(self._text, found).read(mentions)
        conditions = [(r.condition.start, r.condition.end) for r in regimens if r.condition]
        self._link_values(entities, Measurements(self._text, found, conditions))
        self._link_drugs(drugs, regimens)
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

    def _link_times(self, entities: Sequence[Entity], times: Sequence[Time]) -> None:
        links = TimeLinks(self._folded, self._sentences, times)
        for entity, time in zip(entities, links.of(entities), strict=True):
            if time is None:
                continue
            if links.is_over(entity, time):
                entity.temporality = Temporality.PAST
            entity.time = self._expression(time)
            self._add(entity, "时间", entity.time, "time")

    def _expression(self, time: Time) -> TimeExpression:
        return TimeExpression(
            start=time.start, end=time.end, text=self._text[time.start : time.end], kind=time.kind,
            value=time.value, days=time.days, anchor=time.anchor,
        )  # fmt: skip

    # -- values --------------------------------------------------------------------------------

    def _link_values(self, entities: Sequence[Entity], measured: Measurements) -> None:
        spans = [TypedSpan(e.start, e.end, e.type) for e in entities]
        for entity, span, limit in zip(
            entities, spans, limits(spans, len(self._text)), strict=True
        ):
            for number, found in enumerate(measured.all_of(span, limit)):
                if not number:
                    _fill(entity, found)
                self._add(
                    entity, "结果" if entity.type is EntityType.TEST else "大小", found, "value"
                )

    def _link_drugs(self, drugs: Sequence[Entity], regimens: Sequence[Regimen]) -> None:
        """The regimen that each drug ends with; of one that was stopped, the last."""
        facts: dict[tuple[int, int], list[Regimen]] = {}
        for one in regimens:
            facts.setdefault((one.drug.start, one.drug.end), []).append(one)
        for drug in drugs:
            known = facts[drug.start, drug.end]
            given = [one for one in known if not one.stopped] or known
            lasting = [one for one in given if one.current and not one.is_once]
            regimen = (lasting or given[-1:])[0]
            dose = self._dose(regimen)
            if dose is not None:
                _fill(drug, dose)
                self._add(drug, "剂量", dose, "dose")
            if regimen.route is not None:
                self._add(drug, "给药途径", self._words(regimen.route), "route")
            if regimen.frequency is not None:
                self._add(drug, "频次", self._words(regimen.frequency), "frequency")
            if regimen.duration is not None:
                self._add(drug, "疗程", self._words(regimen.duration), "duration")
            if regimen.condition is not None:
                self._add(drug, "条件", self._words(regimen.condition), "condition")
            now = drug.polarity is Polarity.PRESENT and drug.temporality is Temporality.CURRENT
            if now and any(one.replaced for one in known):
                drug.temporality = Temporality.PAST
            elif now and regimen.is_conditional:
                drug.temporality = Temporality.HYPOTHETICAL

    def _words(self, part: Frequency | Route | Condition | Quantity) -> Mention:
        return Mention(start=part.start, end=part.end, text=self._text[part.start : part.end])

    def _dose(self, regimen: Regimen) -> Measurement | None:
        """The dose that is taken, or what runs in a time; the doses of a day, each with its
        time."""
        dose = regimen.dose or regimen.rate
        if dose is None:
            return self._schedule(regimen.schedule)
        end, value = dose.end, dose.value_text
        if regimen.count is not None and regimen.dose_value is not None:
            # 2.5mg×4片
            times = regimen.count.values[0]
            end, value = regimen.count.end, plain(dose.numbers[0].written * times)
        words = self._text[dose.start : end]
        return Measurement(
            start=dose.start, end=end, text=words, value=value, unit=dose.unit_text,
            comparator=dose.comparator,
        )  # fmt: skip

    def _schedule(self, doses: Sequence[tuple[str, Quantity]]) -> Measurement | None:
        if not doses or len({dose.unit_text for _, dose in doses}) > 1:
            return None
        first, last = doses[0][1], doses[-1][1]
        start = first.start if len(doses) == 1 else self._folded.rfind(doses[0][0], 0, first.start)
        value = " ".join(f"{at}{dose.value_text}" for at, dose in doses)
        return Measurement(
            start=start, end=last.end, text=self._text[start : last.end],
            value=first.value_text if len(doses) == 1 else value, unit=first.unit_text,
        )  # fmt: skip

    # -- parts and sides -----------------------------------------------------------------------

    def _link_parts(self, entities: Sequence[Entity]) -> None:
        parts = [e for e in entities if e.type is EntityType.BODY_PART]
        for part in parts:
            self._set_side(part)
        starts = [part.start for part in parts]
        for entity in entities:
            if entity.type is EntityType.PROCEDURE:
                self._set_side(entity)
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
        if entity.type is EntityType.DRUG or len(entity.text) < 2:
            return
        at = self._side_at(entity)
        if at is not None:
            word = self._text[at]
            entity.side = {"左": "左", "右": "右"}.get(word, "双")  # type: ignore[assignment]
            self._add(entity, "侧别", Mention(start=at, end=at + 1, text=word), "side")

    def _side_at(self, entity: Entity) -> int | None:
        """Where the side of an entity stands: at its head, in it (甲状腺右叶结节), in brackets
        behind it (骨折（左）), or right before it (右侧巴氏征)."""
        if _SIDE.match(entity.text):
            return entity.start
        if entity.type is EntityType.BODY_PART:
            return None
        for pattern, start, end in (
            (_SIDE_INSIDE, entity.start, entity.end),
            (_SIDE_BEHIND, entity.end, len(self._text)),
            (_SIDE_BEFORE, max(0, entity.start - 6), entity.start),
        ):
            search = pattern.search if pattern is not _SIDE_BEHIND else pattern.match
            if found := search(self._folded, start, end):
                return found.start("side")
        return None

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
