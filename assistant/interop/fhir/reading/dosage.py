"""Dosage: how a drug is given, from its structure or its text."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from assistant.interop.fhir.concept import amount, amount_words, mapped, range_words, words
from assistant.interop.fhir.element import Element, plain_number
from assistant.interop.fhir.moments import NONE, Instant, moment
from assistant.interop.fhir.scope import Scope

_UNIT_ZH = {
    "s": "秒", "min": "分钟", "h": "小时", "d": "日", "wk": "周", "mo": "月", "a": "年",
}  # fmt: skip
_WHEN_ZH = {
    "HS": "睡前", "AC": "餐前", "PC": "餐后", "ACM": "早餐前", "ACD": "午餐前", "ACV": "晚餐前",
    "PCM": "早餐后", "PCD": "午餐后", "PCV": "晚餐后", "MORN": "早晨", "NOON": "中午",
    "EVE": "晚上", "NIGHT": "夜间", "WAKE": "起床时", "C": "餐时",
    "CM": "早餐时", "CD": "午餐时", "CV": "晚餐时",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Regimen:
    """One way of giving; empty texts where it is not said."""

    dose: str = ""
    route: str = ""
    frequency: str = ""
    days: int | None = None
    start: Instant = NONE
    stop: Instant = NONE


def regimen(dosage: Element, scope: Scope) -> Regimen:
    """One Dosage.  What the structure leaves open is said by its text, as the frequency."""
    rate = next(iter(dosage.children("doseAndRate")), dosage.child(""))
    dose = _dose(rate, scope)
    route_concept = dosage.child("route")
    route = mapped(route_concept, scope.mapping, "routes") or words(route_concept, scope.mapping)
    timing = dosage.child("timing")
    frequency = _frequency(timing, scope)
    if dosage.flag("asNeededBoolean") or dosage.has("asNeededCodeableConcept"):
        reason = words(dosage.child("asNeededCodeableConcept"), scope.mapping)
        asked = f"必要时（{reason}）" if reason else "必要时"
        frequency = f"{frequency} {asked}".strip() if "必要时" not in frequency else frequency
    text = dosage.text("text")
    if text and not (dose and frequency):
        # The text is whole; beside it parts of the structure would say some of it twice.
        dose, route, frequency = "", "", text
    repeat = timing.child("repeat")
    bounds = repeat.child("boundsPeriod")
    return Regimen(
        dose, route, frequency, _days(repeat), moment(bounds, "start"), moment(bounds, "end")
    )


def _dose(rate: Element, scope: Scope) -> str:
    dose = amount_words(rate.child("doseQuantity"), scope.mapping)
    if not dose:
        limits, unit = range_words(rate.child("doseRange"), scope.mapping)
        dose = f"{limits}{unit}"
    speed = amount_words(rate.child("rateQuantity"), scope.mapping)
    if not speed and rate.has("rateRatio"):
        ratio = rate.child("rateRatio")
        above = amount_words(ratio.child("numerator"), scope.mapping)
        below, unit = amount(ratio.child("denominator"), scope.mapping)
        speed = f"{above}/{'' if below == '1' else below}{unit}" if above and below else ""
    return " ".join(part for part in (dose, speed) if part)


def _frequency(timing: Element, scope: Scope) -> str:
    code = timing.child("code")
    if found := mapped(code, scope.mapping, "frequencies"):
        return found
    if text := code.text("text"):
        return scope.mapping.word("frequencies", "", text.upper()) or text
    repeat = timing.child("repeat")
    when = "、".join(_WHEN_ZH[w] for w in repeat.texts("when") if w in _WHEN_ZH)
    times = repeat.texts("timeOfDay")
    return " ".join(part for part in (_repeated(repeat), when, "、".join(times)) if part)


def _repeated(repeat: Element) -> str:
    """``每日2次``, ``每8小时1次``; "" where it is not said."""
    period, unit = repeat.number("period"), _UNIT_ZH.get(repeat.text("periodUnit"), "")
    if period is None or not unit or period <= 0:
        return ""
    count = repeat.number("frequency")
    most = repeat.number("frequencyMax")
    often = plain_number(Decimal(1) if count is None else count)
    if most is not None:
        often = f"{often}-{plain_number(most)}"
    longest = repeat.number("periodMax")
    span = plain_number(period) + (f"-{plain_number(longest)}" if longest is not None else "")
    return f"每{'' if span == '1' and unit in '日周月年' else span}{unit}{often}次"


def _days(repeat: Element) -> int | None:
    duration = repeat.child("boundsDuration")
    number = duration.number("value")
    unit = duration.text("code") or duration.text("unit")
    scale = {"d": 1, "天": 1, "日": 1, "wk": 7, "周": 7}.get(unit)
    if number is None or scale is None or number != int(number) or not 0 <= number * scale <= 3650:
        return None
    return int(number) * scale
