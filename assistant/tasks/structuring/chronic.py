"""Whether an illness of the history is still there: chronic ones are, unless the note ends them."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from assistant.tasks.structuring.entity import Entity
from assistant.tasks.structuring.span import EntityType

_NOT_YET = "".join(
    f"(?<!{word})"
    for word in ("未", "未能", "不能", "无法", "难以", "拟", "拟行", "建议", "部分", "次全", "大部")
)
# What says that it is over, behind its name …
_OVER = re.compile(
    rf"{_NOT_YET}(?:治愈|痊愈|自愈)|已愈|{_NOT_YET}(?:切除|摘除|根治)(?!性?[放化])|已消失|"
    r"未再(?:发|次|出现)|(?:未|无)复发"
)
# … or before it.
_OVER_BEFORE = re.compile(r"(?:陈旧性?|(?:幼时|儿时|幼年|童年|小时候)(?:曾|患|有|得|过){0,3})\Z")
_TREATED = re.compile(
    r"(?:现|目前|一直|长期|规律|仍)[^。;；\n未停]{0,8}(?:服|用|注射|吸入|治疗|透析)"
)
_SENTENCE_END = re.compile(r"[。;；\n]")
_BEFORE = 8


def is_chronic(words: str) -> bool:
    """Whether an illness of this name stays."""
    return _chronic().search(words) is not None


@cache
def _chronic() -> re.Pattern[str]:
    listed = (files("assistant.tasks.structuring") / "data" / "chronic.txt").read_text("utf-8")
    lines = [line for line in listed.splitlines() if not line.startswith("#")]
    words = [word for line in lines for word in line.split()]
    # An abbreviation is a word of its own: DM, and not the DM of NSDM.
    return re.compile(
        "|".join(
            rf"(?<![A-Za-z]){word}(?![A-Za-z])" if word.isascii() else re.escape(word)
            for word in words
        )
    )


def is_over(text: str, entity: Entity, others: Sequence[Entity]) -> bool:
    """Whether the note says that it was healed or resected, and not that it is treated now.

    What it says reaches to the end of the sentence, or to the next illness of ``others``, which are
    in text order.
    """
    end = _SENTENCE_END.search(text, entity.end)
    stop = end.start() if end else len(text)
    for other in others[bisect_left(others, entity.end, key=lambda o: o.start) :]:
        if other.start >= stop:
            break
        if other.type is EntityType.DISEASE:
            stop = other.start
    if _TREATED.search(text, entity.end, stop):
        return False
    return bool(
        _OVER.search(text, entity.start, stop)
        or "陈旧" in entity.text
        or _OVER_BEFORE.search(text[max(0, entity.start - _BEFORE) : entity.start])
    )
