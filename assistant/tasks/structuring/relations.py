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
from knowledge.text.drugs import DrugMention
from knowledge.text.finding import Polarity, Temporality
from knowledge.text.folding import fold
from knowledge.text.frequency import Frequency
from knowledge.text.number import plain
from knowledge.text.quantity import Quantity, quantities
from knowledge.text.regimens import Condition, Regimen, RegimenReader
from knowledge.text.route import Route
from knowledge.text.times import Time

_HOW_LONG = re.compile(
    r"(?:病史|史|反复发作|反复|间断|持续|伴有?|加重|发作|症状|已|约|近|余|共|[,:(\s])*",
    re.IGNORECASE,
)
_LIST = re.compile(r"[、,和及与伴]{1,2}")
# 末次月经2026-01-15: of this, and of nothing that comes after it.
_OF_ITSELF = re.compile(r"(?:末次月经|lmp|月经|预产期|edc|出生日期|生日)(?:为|是|时间|[ \t:])*\Z")
_SIDE = re.compile(r"(?P<side>[左右双两])")
_LONG_AGO = 30
_HAD = re.compile(r"[,:]?(?:患者)?曾?(?:患|得|罹患)过?")
_BECAUSE = re.compile(r"[,:]?(?:患者)?曾?因[^,;。\n]{0,4}")
_HEALED = re.compile(r"[^;。\n]{0,10}?(?:治愈|愈合|痊愈)")
_TREATED = re.compile(r"[^,;。\n]{0,6}?(?:住院|入院|就诊|行|手术|治疗)")
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

    # -- time ----------------------------------------------------------------------------------

    def _link_times(self, entities: Sequence[Entity], times: Sequence[Time]) -> None:
        """How long something has been, else the last time named before it in its sentence."""
        timed = [t for t in times if t.kind != "age" and not self._is_of_itself(t)]
        timed = [t for t in timed if t.exact or t.kind != "duration"]
        starts = [time.start for time in timed]
        lasting = [self._lasting(entity, timed, starts) for entity in entities]
        # What is listed before it lasts as long: 胸闷、气促5年.
        for number in range(len(entities) - 2, -1, -1):
            if lasting[number] is None and self._is_listed(entities[number], entities[number + 1]):
                lasting[number] = lasting[number + 1]
        for entity, how_long in zip(entities, lasting, strict=True):
            if entity.type in _NOT_TIMED:
                continue
            found = how_long or self._before(entity, timed, starts)
            if found is not None:
                entity.time = self._expression(found)
                if self._is_over(entity, found):
                    entity.temporality = Temporality.PAST
                self._add(entity, "时间", entity.time, "time")

    def _is_over(self, entity: Entity, time: Time) -> bool:
        """Whether what was so long ago is past: an operation, or an illness that the patient had
        (两年半前患肺结核) or was in hospital for (去年因肺炎住院)."""
        if not entity.is_stated or entity.temporality is not Temporality.CURRENT:
            return False
        if time.kind != "relative" or time.days is None or time.days > -_LONG_AGO:
            return False
        if entity.type is EntityType.PROCEDURE:
            return time.end <= entity.start
        gap, after = self._folded[time.end : entity.start], self._folded[entity.end :][:12]
        return entity.type is EntityType.DISEASE and bool(
            _HAD.fullmatch(gap)
            or _HEALED.match(after)
            or (_BECAUSE.fullmatch(gap) and _TREATED.match(after))
        )

    def _is_of_itself(self, time: Time) -> bool:
        before = self._folded[max(0, time.start - 10) : time.start]
        return time.kind == "date" and _OF_ITSELF.search(before) is not None

    def _expression(self, time: Time) -> TimeExpression:
        return TimeExpression(
            start=time.start, end=time.end, text=self._text[time.start : time.end], kind=time.kind,
            value=time.value, days=time.days, anchor=time.anchor,
        )  # fmt: skip

    def _is_listed(self, entity: Entity, following: Entity) -> bool:
        both = entity.type in _ATTACHED and following.type in _ATTACHED
        return both and _LIST.fullmatch(self._folded[entity.end : following.start]) is not None

    def _lasting(self, entity: Entity, times: Sequence[Time], starts: list[int]) -> Time | None:
        if entity.type not in _ATTACHED:
            return None
        index = bisect_left(starts, entity.end)
        if index == len(times) or times[index].start > entity.end + 12:
            return None
        time = times[index]
        # 2年前诊断糖尿病，1周来口渴: the week is of what comes after it.
        if time.recent:
            return None
        gap = self._folded[entity.end : time.start]
        told = _HOW_LONG.fullmatch(gap) and (time.kind == "duration" or "," not in gap)
        return time if told and time.kind != "date" else None

    def _before(self, entity: Entity, times: Sequence[Time], starts: list[int]) -> Time | None:
        index = bisect_left(starts, entity.start) - 1
        begin, _ = self._sentences.at(entity.start)
        while index >= 0 and times[index].start >= begin:
            time = times[index]
            if (time.recent or time.kind != "duration") and time.end <= entity.start:
                return time
            index -= 1
        return None

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
        """The regimen that each drug ends with."""
        current: dict[tuple[int, int], Regimen] = {}
        for one in regimens:
            place = (one.drug.start, one.drug.end)
            known = current.get(place)
            if known is None or (one.current and not (known.current and not known.is_once)):
                current[place] = one
        for drug in drugs:
            regimen = current[drug.start, drug.end]
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
            if now and regimen.replaced:
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
            end, value = regimen.count.end, plain(regimen.dose_value)
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
