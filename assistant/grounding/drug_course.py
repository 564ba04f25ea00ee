"""What a sentence tells of its drugs beside their regimens: what they run in, and their end."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

from knowledge.text.regimen import Regimen

_SOLVENT = re.compile(r"^(?:\d+%)?(?:葡萄糖|氯化钠|生理盐水|盐水|注射用水|糖盐)")
_INTO = re.compile(r"加|溶|稀释|入|[+＋/配]")

_TOGETHER = re.compile(
    r"(?:注射液)?[ \t]*[\d.]+[ \t]*(?:ml|mL|ML|毫升)[ \t]*(?:[+＋]|加入|内加)[ \t]*"
)


def _in_solvents(text: str, found: list[Regimen]) -> list[Regimen]:
    """A drug that is dissolved runs in as its solvent does: 加入5%葡萄糖500ml静脉滴注2小时."""
    result = list(found)
    for number, (one, other) in enumerate(pairwise(found)):
        between = text[one.drug.end : other.drug.start]
        if _SOLVENT.match(one.drug.name) and _TOGETHER.fullmatch(between):
            # 5%葡萄糖500ml+维生素C 2g静滴: both run in.
            result[number] = replace(
                result[number],
                route=one.route or other.route,
                frequency=one.frequency or other.frequency,
            )
            continue
        if not _SOLVENT.match(other.drug.name) or not _INTO.search(between) or "，" in between:
            continue
        result[number] = replace(
            one,
            route=one.route or other.route,
            frequency=one.frequency or other.frequency,
            duration=one.duration or other.duration,
        )
    return result


_STOP = re.compile(r"停用|停服|停药|(?:遂|即|已|故|予以?|立即|随即)停(?![经止留])")


def _with_stop(text: str, found: list[Regimen]) -> list[Regimen]:
    """The regimens with the end of the last one, where it is told after something else:
    华法林3mg qd，INR 3.5，遂停用."""
    if not found or found[-1].stopped or not found[-1].current:
        return found
    last = found[-1]
    if not (stop := _STOP.search(text, last.end)):
        return found
    end = replace(
        last, dose=None, count=None, schedule=(), rate=None, route=None, frequency=None,
        duration=None, condition=None, order=last.order + 1, stopped=True, end=stop.end(),
    )  # fmt: skip
    return [*found[:-1], replace(last, current=False), end]


def with_course(text: str, found: list[Regimen]) -> list[Regimen]:
    """The regimens of a sentence with what it tells of them elsewhere."""
    return _with_stop(text, _in_solvents(text, found))
