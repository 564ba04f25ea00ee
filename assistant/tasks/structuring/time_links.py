"""Which time is said of which entity: how long it has been, or when it was."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence

from assistant.tasks.structuring.entity import Entity
from assistant.tasks.structuring.sentences import Ranges
from assistant.tasks.structuring.span import EntityType
from knowledge.text.finding import Temporality
from knowledge.text.times import Time

_HOW_LONG = re.compile(
    r"(?:病史|史|反复发作|反复|间断|持续|伴有?|加重|发作|症状|已|约|近|余|共|[,:(\s])*",
    re.IGNORECASE,
)
_LIST = re.compile(r"[、,和及与伴]{1,2}")
# 末次月经2026-01-15: of this, and of nothing that comes after it.
_OF_ITSELF = re.compile(r"(?:末次月经|lmp|月经|预产期|edc|出生日期|生日)(?:为|是|时间|[ \t:])*\Z")
_LONG_AGO = 30
_HAD = re.compile(r"[,:]?(?:患者)?曾?(?:患|得|罹患)过?")
_BECAUSE = re.compile(r"[,:]?(?:患者)?曾?因[^,;。\n]{0,4}")
_HEALED = re.compile(r"[^;。\n]{0,10}?(?:治愈|愈合|痊愈)")
_TREATED = re.compile(r"[^,;。\n]{0,6}?(?:住院|入院|就诊|行|手术|治疗)")
_NOT_TIMED = frozenset({EntityType.BODY_PART})
_LASTING = frozenset({EntityType.SIGN, EntityType.SYMPTOM, EntityType.DISEASE})


class TimeLinks:
    """Links the entities of one text to its times."""

    def __init__(self, folded: str, sentences: Ranges, times: Sequence[Time]) -> None:
        self._folded = folded
        self._sentences = sentences
        self._times = [time for time in times if self._is_of_others(time)]
        self._starts = [time.start for time in self._times]

    def of(self, entities: Sequence[Entity]) -> list[Time | None]:
        """For each entity (in text order) how long it has been, else the last time named before
        it in its sentence."""
        lasting = [self._lasting(entity) for entity in entities]
        # What is listed before it lasts as long: 胸闷、气促5年.
        for number in range(len(entities) - 2, -1, -1):
            if lasting[number] is None and self._is_listed(entities[number], entities[number + 1]):
                lasting[number] = lasting[number + 1]
        return [
            None if entity.type in _NOT_TIMED else how_long or self._before(entity)
            for entity, how_long in zip(entities, lasting, strict=True)
        ]

    def is_over(self, entity: Entity, time: Time) -> bool:
        """Whether what was so long ago is past: an operation, or an illness that the patient had
        (两年半前患肺结核) or was in hospital for (去年因肺炎住院)."""
        if not entity.is_stated or entity.temporality is not Temporality.CURRENT:
            return False
        if time.kind != "relative" or time.days is None or time.days > -_LONG_AGO:
            return False
        if entity.type is EntityType.PROCEDURE:
            return time.end <= entity.start
        gap = self._folded[time.end : entity.start]
        after = self._folded[entity.end : entity.end + 12]
        return entity.type is EntityType.DISEASE and bool(
            _HAD.fullmatch(gap)
            or _HEALED.match(after)
            or (_BECAUSE.fullmatch(gap) and _TREATED.match(after))
        )

    def _is_of_others(self, time: Time) -> bool:
        if time.kind == "age" or (time.kind == "duration" and not time.exact):
            return False
        before = self._folded[max(0, time.start - 10) : time.start]
        return time.kind != "date" or _OF_ITSELF.search(before) is None

    def _is_listed(self, entity: Entity, following: Entity) -> bool:
        both = entity.type in _LASTING and following.type in _LASTING
        return both and _LIST.fullmatch(self._folded[entity.end : following.start]) is not None

    def _lasting(self, entity: Entity) -> Time | None:
        if entity.type not in _LASTING:
            return None
        index = bisect_left(self._starts, entity.end)
        if index == len(self._times) or self._starts[index] > entity.end + 12:
            return None
        time = self._times[index]
        gap = self._folded[entity.end : time.start]
        # 2年前诊断糖尿病，1周来口渴: the week is of what comes after it.
        apart = "," in gap and (time.recent or time.kind != "duration")
        is_length = _HOW_LONG.fullmatch(gap) and not apart
        return time if is_length and time.kind != "date" else None

    def _before(self, entity: Entity) -> Time | None:
        index = bisect_left(self._starts, entity.start) - 1
        begin, _ = self._sentences.at(entity.start)
        while index >= 0 and self._starts[index] >= begin:
            time = self._times[index]
            if (time.recent or time.kind != "duration") and time.end <= entity.start:
                return time
            index -= 1
        return None
