"""Whether a study is all there, by what its instances say of their series.

A C-STORE tells nobody that a study has ended.  What can be known: how many instances a sender says
there are, and that instance numbers which count have gaps.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from math import gcd
from typing import Any

_COUNTING = 3
"""Numbers that spread over more than so many times their count do not count instances."""

_TELLING = 3
"""So many equal steps tell how a scanner counts."""


def missing(series: Mapping[str, Any]) -> int:
    """How many instances of a series have not come, as far as it is known."""
    numbers = series["numbers"]
    lacking = 0
    if numbers:
        # Some scanners count by twos; of a few numbers that may be chance.
        apart = [later - one for one, later in pairwise(numbers)]
        step = gcd(*apart) if len(apart) >= _TELLING else 1
        span = (numbers[-1] - numbers[0]) // step + 1
        if len(numbers) > 1 and span <= _COUNTING * len(numbers):
            lacking = span - len(numbers)
    if series["expected"]:
        lacking = max(lacking, series["expected"] - series["instances"])
    return lacking


def lacking(study: Mapping[str, Any]) -> str:
    """What is missing of a study, as a sentence; empty where nothing is."""
    found = [missing(one) for one in study.values()]
    count, total = sum(1 for one in found if one), sum(found)
    if not count:
        return ""
    return (
        f"{count} 个序列缺 {total} 幅，请在发送端重发该检查。"
        f"({total} instances of {count} series have not come; send the study again.)"
    )
