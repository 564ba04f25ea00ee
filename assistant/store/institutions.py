"""Replaces the names of hospitals; 当地医院 and 上级医院 name none."""

from __future__ import annotations

import re
from collections.abc import Iterator

from knowledge.text.phrases import phrases_of

PLACE = "[机构]"
_HAN = "\u4e00-\u9fff"
_NUMERALS = "一二三四五六七八九十"

_HOSPITAL = re.compile(
    rf"(?P<before>[{_HAN}A-Za-z\d*＊〇]{{1,24}}?)"
    r"(?:医院|卫生院|卫生服务[中站]心?|保健院|疗养院|诊所|门诊部|卫生所|卫生室|急救中心|体检中心|防治[院所]|"
    rf"(?<=[{_HAN}])[{_NUMERALS}]院(?![内外感区后前]))"
    r"(?!获得|内?感染|相关|性|焦虑|信息)"
)
_PHRASES = phrases_of("assistant.store", "data/institution_phrases.tsv")
# What stands before a name; the last of them is where the name begins.
_LEAD = _PHRASES["lead"]
# A name made of these alone could be any hospital's.
_GENERIC = _PHRASES["generic"]
# What is longer begins with words that are no part of the name.
_LONGEST = 14


def replace_institutions(text: str) -> str:
    """``text`` with [机构] for every hospital that it names."""
    for start, end in reversed(list(places(text))):
        text = text[:start] + PLACE + text[end:]
    return text


def places(text: str) -> Iterator[tuple[int, int]]:
    """``[start, end)`` of every hospital that ``text`` names."""
    for match in _HOSPITAL.finditer(text):
        start = _start(match)
        if start is not None:
            yield start, match.end()


def _start(match: re.Match[str]) -> int | None:
    """Where the name begins; None where it is no name."""
    before = match["before"]
    start = max((lead.end() for lead in _LEAD.finditer(before)), default=0)
    name = before[start:]
    kind = match[0][len(before) :]
    # 301医院 is a name, and so is 湘雅二院.
    numbered = name.isdigit() and len(name) > 2
    generic = _GENERIC.fullmatch(name) and kind[0] not in _NUMERALS and not numbered
    if generic or len(name) > _LONGEST or (not numbered and _GENERIC.fullmatch(name + kind[:-1])):
        return None
    return match.start() + start
