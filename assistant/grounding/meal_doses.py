"""Doses by meals in one figure: 三餐前6-8-6U is 6U, 8U and 6U in their order."""

from __future__ import annotations

import re

from assistant.grounding.check import Check
from knowledge.text.folding import fold

_SERIES = re.compile(
    r"(?<![\d.-])(\d{1,2})-(\d{1,2})-(\d{1,2})(?:-(\d{1,2}))?[ \t]?(?:u(?![a-z])|iu|单位)"
)
_MEAL = re.compile(
    r"(?P<meal>早|午|中|晚|睡)(?:餐|饭|前|上)"
    r"(?:前|时|后|予|给|皮下注射|注射|用|打|[\u4e00-\u9fff]{0,8}?胰岛素)*[ \t:]*"
    r"(?P<dose>\d{1,2})[ \t]?(?:u(?![a-z])|iu|单位)"
)
_PLACES = {"早": 1, "午": 2, "中": 2, "晚": 3, "睡": 4}


def check_meal_doses(check: Check) -> None:
    """A dose before one meal must be that of its place in a series of the record that names it."""
    said = list(_MEAL.finditer(fold(check.text)))
    if not said:
        return
    series = [hit for s in check.sources for hit in _SERIES.finditer(fold(s.text))]
    for one in said:
        told = {hit[_PLACES[one["meal"]]] for hit in series} - {None}
        if told and one["dose"] not in told:
            check.problem("dose", check.text[one.start() : one.end()])
