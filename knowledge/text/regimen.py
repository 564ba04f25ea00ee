"""One way in which one drug is given, as a value."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from knowledge.text.amount import Quantity
from knowledge.text.drugs import DrugMention
from knowledge.text.folding import fold
from knowledge.text.frequency import Frequency
from knowledge.text.route import Route
from knowledge.text.units import read_unit

Phase = Literal["", "loading", "maintenance"]

_DOSED = (
    "mass", "volume", "units", "international units", "axa units", "amount", "charge", "tablets",
    "capsules", "pills", "ampoules", "bags", "sachets", "bottles", "patches", "drops", "puffs",
)  # fmt: skip
_PER_DOSE = frozenset({"weight", "area", "times"})
_LIMITED = re.compile(r"[<>≥≤＜＞]|高于|大于|超过|低于|小于|必要|需要")


@dataclass(frozen=True, slots=True)
class Condition:
    """When it is given only: prn, 必要时, 疼痛时, SBP>180时."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Regimen:
    """One way in which one drug is given, as far as the text says.

    ``[start, end)`` holds the drug and all that is said of it here.  ``dose`` is one dose with its
    unit, per what included (mg, mg/kg, 片, mg/d); ``count`` how many of a strength make it
    (2.5mg×4片: the dose is 10mg); ``schedule`` the doses of a day, each with its time (早8U 晚10U).
    ``rate`` is what runs in a time (5ug/kg/min); ``cycle`` when a course begins again (bid d1-14
    q3w).

    ``order`` counts the facts of one drug in one chain from 0; ``replaces``: it takes the place of
    the one before; ``current``: none takes its.  ``stopped``: it is given no more.  ``replaced``:
    another drug has taken its place.  ``planned``: the text only means to (拟加量至).
    ``inherited`` names what is not said again (2.5mg qd，加量至5mg).
    """

    drug: DrugMention
    start: int
    end: int
    dose: Quantity | None = None
    count: Quantity | None = None
    schedule: tuple[tuple[str, Quantity], ...] = ()
    rate: Quantity | None = None
    route: Route | None = None
    frequency: Frequency | None = None
    cycle: Frequency | None = None
    duration: Quantity | None = None
    condition: Condition | None = None
    phase: Phase = ""
    order: int = 0
    replaces: bool = False
    current: bool = True
    stopped: bool = False
    replaced: bool = False
    planned: bool = False
    inherited: frozenset[str] = frozenset()

    @property
    def is_said(self) -> bool:
        """Whether anything but the drug's name is said."""
        parts = (self.dose, self.rate, self.route, self.frequency, self.duration, self.condition)
        return any(parts) or bool(self.schedule) or self.stopped

    @property
    def is_once(self) -> bool:
        """Whether it is given once only (st)."""
        return self.frequency is not None and self.frequency.is_once

    @property
    def is_conditional(self) -> bool:
        """Whether it is only to be given when something is so: 收缩压＞180mmHg时临时含服."""
        condition = self.condition
        led = condition is not None and condition.start < self.drug.start
        return led and (self.planned or bool(_LIMITED.search(condition.text if condition else "")))

    @property
    def dose_value(self) -> Decimal | None:
        """The number of one dose, a strength times its count; None for a range or none."""
        if self.dose is None or len(self.dose.values) != 1:
            return None
        times = self.count.values[0] if self.count and len(self.count.values) == 1 else Decimal(1)
        return self.dose.values[0] * times


def is_dose(quantity: Quantity) -> bool:
    """Whether a quantity can be a dose: 5mg, 0.1mg/kg, 2片, 15mg/周."""
    powers = dict(quantity.unit.dimensions)
    above = [kind for kind, power in powers.items() if power > 0]
    below = {kind for kind, power in powers.items() if power < 0}
    if len(above) != 1 or above[0] not in _DOSED or quantity.shape not in ("one", "range", "pair"):
        return False
    if "time" in below or "months" in below:
        return not is_rate(quantity) and below - {"time", "months"} <= _PER_DOSE
    return below <= _PER_DOSE


_PIECES = frozenset(
    {"tablets", "capsules", "pills", "ampoules", "bags", "sachets", "bottles", "patches"}
)


def of_one(quantity: Quantity) -> Quantity | None:
    """What one piece holds (50mg of 50mg/片), as an amount; None where nothing of the kind is
    told."""
    powers = dict(quantity.unit.dimensions)
    pieces = [kind for kind, power in powers.items() if power == -1 and kind in _PIECES]
    if quantity.shape != "one" or len(pieces) != 1 or len(powers) != 2:
        return None
    above = read_unit(fold(quantity.unit.shown).split("/")[0], 0)
    amount = replace(quantity, unit=above[0]) if above else None
    return amount if amount and is_dose(amount) else None


_RATES = re.compile(r"/(?:\(?\d*\.?)?(?:min|h|s)\b")


def is_rate(quantity: Quantity) -> bool:
    """Whether a quantity tells how much runs in a time: 5ml/h, 5ug/kg/min; 15mg/周 is a dose."""
    powers = dict(quantity.unit.dimensions)
    given = any(powers.get(kind, 0) > 0 for kind in _DOSED)
    return given and powers.get("time", 0) < 0 and _RATES.search(quantity.unit.code) is not None
