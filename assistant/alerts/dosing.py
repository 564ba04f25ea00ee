"""The dose of a day of a row of medication."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from assistant.record.medication import Medication, medication_line
from knowledge.text.frequency import Frequency
from knowledge.text.regimens import Regimen, regimens

if TYPE_CHECKING:
    from assistant.alerts.facts import Facts

_HOURS = re.compile(r"(\d+)小时")
_DAYS = re.compile(r"(\d+)天")


def times_a_day(frequency: Frequency | None) -> float | None:
    """How many times a day, at most; None where it is as needed, or not told."""
    if frequency is None or frequency.is_as_needed or frequency.is_once:
        return None
    period = frequency.period
    if period in ("日", "晚", "晨"):
        return float(frequency.high)
    if hours := _HOURS.search(period):
        return 24 / int(hours[1]) * frequency.high
    if days := _DAYS.search(period):
        return frequency.high / int(days[1])
    return {"隔日": 0.5, "周": frequency.high / 7}.get(period)


@lru_cache(maxsize=4096)
def _regimens(line: str) -> tuple[Regimen, ...]:
    """The regimens of a row: the same orders come again and again."""
    return tuple(regimens(line))


def daily_dose(row: Medication, unit: str, facts: Facts) -> float | None:
    """The dose of a day in ``mg/d``, ``IU/d`` or ``mg/kg/d``; None where it cannot be told."""
    read = [r for r in _regimens(medication_line(row)) if r.dose is not None]
    times = times_a_day(read[0].frequency) if read else None
    dose = read[0].dose if read else None
    if dose is None or times is None or len(dose.base) != 1 or not dose.unit:
        return None
    amount = float(dose.base[0])
    if unit == "IU/d":
        return amount * times if "iu" in dose.unit.code.lower() else None
    if not dose.unit.measures("mass"):
        return None
    day = amount * 1000 * times
    if unit == "mg/kg/d":
        weight = facts.chart.body("体重", "kg")
        return day / weight if weight else None
    return day
