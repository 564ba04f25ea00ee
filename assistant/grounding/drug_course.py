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


def _led_by_stop(text: str, found: list[Regimen]) -> list[Regimen]:
    """The regimens, of which one that 停 stands right before is stopped: 因干咳停培哚普利."""
    return [
        replace(one, stopped=True)
        if not one.order and text[: one.drug.start].endswith("停") and not one.is_said
        else one
        for one in found
    ]


_STRENGTH = re.compile(r"[ \t]*[（(][ \t]*")
_LOADING = re.compile(
    r"[ \t]*(?:[\u4e00-\u9fffA-Za-z\d]{2,12})?[ \t]*[（(][ \t]*首[剂次日][量]?[ \t]*"
)
_EACH_TIME = re.compile(r"[ \t]*每次[\u4e00-\u9fff]{1,6}后[ \t]*")


_ANDS = re.compile(r"[及和并][ \t]*\Z")


def _is_elsewhere(text: str, one: Regimen) -> bool:
    """Whether what follows a drug is of something else: 每日三次及每日牵引."""
    if (
        (one.dose and "dose" not in one.inherited)
        or one.rate
        or one.duration
        or one.stopped
        or one.schedule
    ):
        return False
    often = one.frequency
    return bool(often and not one.route and _ANDS.search(text, 0, often.start))


_CLOCK = re.compile(r"\d{1,2}时(?:\d{1,2}分)?\Z")


def _own(text: str, one: Regimen, found: list[Regimen]) -> Regimen:
    """The regimen without what is none of its own: the way of the next drug (美罗培南改为口服
    左氧氟沙星), a time of the day (2时30分因腹痛予)."""
    way, need = one.route, one.condition
    if way and way.start > one.drug.end and any(o.drug.start == way.end for o in found):
        one = replace(one, route=None)
    if need and _CLOCK.search(need.text):
        one = replace(one, condition=None)
    return one


def _joined(text: str, found: list[Regimen]) -> list[Regimen]:
    """Regimens of one drug that are one, or stand in the other order: 4.5g（4g/0.5g）q8h is one;
    50mg q12h（首剂100mg） begins with 100mg."""
    result: list[Regimen] = []
    for number, one in enumerate(found):
        if number and one.drug == found[number - 1].drug and _is_elsewhere(text, one):
            continue
        last = result[-1] if result else one
        begin = last.dose.end if last.drug == one.drug and last is not one and last.dose else 0
        if not begin:
            result.append(one)
        elif one.dose and _STRENGTH.fullmatch(text, begin, one.dose.start):
            result[-1] = replace(one, dose=last.dose, order=last.order)
        elif one.dose and _LOADING.fullmatch(text, begin, one.dose.start):
            result[-1:] = [
                replace(one, phase="loading", order=last.order, current=False),
                replace(last, phase="", order=one.order, current=True),
            ]
        elif one.dose is None and one.route and _EACH_TIME.fullmatch(text, begin, one.route.start):
            result[-1] = replace(last, route=one.route, current=one.current)
        else:
            result.append(one)
    return result


_AND = re.compile(
    r"(?:[ \t]*\d[\d.]*[ \t]*(?:mg|g|μg|ml|IU|U|万U|片|粒)(?![/A-Za-z]))?[ \t]*"
    r"(?:[+＋、和与及]|联合|联用|合用)[ \t]*"
)


_OF_ALL = re.compile(r"[均都各皆]")
_SHARED = ("route", "frequency", "duration")


def _in_lists(text: str, found: list[Regimen]) -> list[Regimen]:
    """What leads or ends a list of drugs is said of all: 雾化沙丁胺醇5mg+异丙托溴铵500μg q6h."""
    result = list(found)
    pairs = list(enumerate(pairwise(found)))
    for number, (one, other) in pairs:
        ahead = one.route is not None and one.route.start < one.drug.start
        if ahead and other.route is None and _AND.fullmatch(text, one.drug.end, other.drug.start):
            result[number + 1] = replace(result[number + 1], route=result[number].route)
    for number, (one, other) in reversed(pairs):
        if _AND.fullmatch(text, one.drug.end, other.drug.start):
            behind = result[number + 1]
            inherited = one.inherited
            if not _OF_ALL.search(text, other.drug.end, behind.end):
                inherited |= {e for e in _SHARED if getattr(one, e) is None and getattr(behind, e)}
            result[number] = replace(
                result[number],
                route=one.route or behind.route,
                frequency=one.frequency or behind.frequency,
                duration=one.duration or behind.duration,
                inherited=inherited,
            )
    return result


def with_course(text: str, found: list[Regimen]) -> list[Regimen]:
    """The regimens of a sentence with what it tells of them elsewhere."""
    found = [_own(text, one, found) for one in found]
    found = _in_lists(text, _joined(text, _in_solvents(text, found)))
    return _with_stop(text, _led_by_stop(text, found))
