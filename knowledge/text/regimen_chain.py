"""The facts of one drug, put together from left to right."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from knowledge.text.amount import Quantity
from knowledge.text.drugs import DrugMention
from knowledge.text.frequency import Frequency, frequencies
from knowledge.text.regimen import Condition, Phase, Regimen, is_dose, is_rate, of_one
from knowledge.text.regimen_tokens import Cue, Token
from knowledge.text.route import Route, routes

_COUNTED = ("tablets", "capsules", "pills", "ampoules", "bags", "sachets", "bottles", "patches")
_AT = re.compile(r"(?<![术每])(?:早|中午|中|午|晚|晨|睡前)(?:[餐饭][前后]?|上)?[ \t]?\Z")
# 每周减5mg tells a step, no dose.
_BY = re.compile(r"[加减增降](?:量|少|加)?[ \t]?\Z")
_CYCLE = re.compile(r"\d+(?:天|周|月)")
_STEP = re.compile(r"[加减增降](?:量|少|加)?[ \t]?\d")
_NAME_REST = re.compile(r"(?:[缓控]释|肠溶|分散|咀嚼)?(?:片|胶囊|颗粒|散|针|注射液|口服液)?[ \t]*")
# Between what a piece holds and how many are taken.
_EACH = re.compile(
    r"[ \t]*\)?[ \t,:]*(?:口服|服用?)?[ \t,]*(?:每次|一次|1次|每晚|每早)(?:口服|服用?)?[ \t]*"
    r"|[ \t]*\)[ \t]*"
)
_STOPS_TIME = re.compile(r"(?:以)?[后前时内来]")


class Chain:
    """The facts of one drug, being put together from left to right."""

    def __init__(self, drug: DrugMention, text: str, folded: str) -> None:
        self._drug = drug
        self._text = text
        self._folded = folded
        self._done: list[Regimen] = []
        self._strength: Quantity | None = None
        self._now = Regimen(drug, drug.start, drug.end)
        self._led: list[Token] = []
        self._changed = False
        self._planned = False
        self._times = False
        self._lasting = False
        self._inside_condition = 0

    def is_alike(self, quantity: Quantity) -> bool:
        """Whether a quantity may be another dose of this drug."""
        facts = (*self._done, self._now)
        doses = [r.dose or r.rate for r in facts] + [q for r in facts for _, q in r.schedule]
        return any(dose.unit.converts_to(quantity.unit) for dose in doses if dose)

    def forget_schedule(self) -> None:
        """早8U，基础量12U: where only a part of a day's doses is understood, none is."""
        self._now = replace(self._now, schedule=())

    def lead(self, token: Token) -> None:
        """What stands before the drug in its clause: 口服阿司匹林, 每日2次口服, 停用."""
        match token:
            case Route():
                self._set(token, route=token)
            case Frequency() if token.is_as_needed:
                self._condition(Condition(token.start, token.end, "prn"))
            case Frequency():
                self._set(token, frequency=token)
            case Condition():
                self._condition(token)
            case Cue(kind="stop") if any(isinstance(led, Condition) for led in self._led):
                # 出现皮疹时停用: it is taken still.
                pass
            case Cue(kind="stop"):
                self._now = replace(
                    self._now, stopped=True, start=min(self._now.start, token.start)
                )
            case Cue(kind="planned"):
                self._planned = True
                self._now = replace(self._now, planned=True)
        self._led.append(token)

    def add(self, token: Token) -> None:
        """One more token behind the drug."""
        if token.start < self._inside_condition:
            return
        match token:
            case Cue():
                self._add_cue(token)
            case Condition():
                self._inside_condition = token.end
                self._condition(token)
            case Frequency() if token.is_as_needed:
                self._condition(
                    Condition(token.start, token.end, self._folded[token.start : token.end])
                )
            case Frequency() if _STEP.match(self._folded, token.end):
                return
            case Frequency() if self._is_cycle(token):
                self._set(token, cycle=token)
            case Frequency():
                self._next_if(
                    self._now.frequency is not None and "frequency" not in self._led_kinds
                )
                self._set(token, frequency=token)
            case Route():
                self._next_if(self._changed)
                if self._now.route is None or "route" in self._led_kinds:
                    self._set(token, route=token)
            case Quantity():
                self._add_quantity(token)
        if not isinstance(token, Cue):
            self._times = self._lasting = False

    def _is_cycle(self, frequency: Frequency) -> bool:
        """bid d1-14 q21d: when the course begins again."""
        known = self._now.frequency
        return bool(
            known and not self._changed and frequency.period != known.period
            and _CYCLE.fullmatch(frequency.period)
        )  # fmt: skip

    @property
    def _led_kinds(self) -> set[str]:
        """What only stands before the drug, and gives way to what stands behind it."""
        if self._done:
            return set()
        kinds = set()
        if self._now.route is not None and self._now.route in self._led:
            kinds.add("route")
        if self._now.frequency is not None and self._now.frequency in self._led:
            kinds.add("frequency")
        return kinds

    def _add_cue(self, cue: Cue) -> None:
        if cue.kind == "times":
            self._times = True
        elif cue.kind == "duration":
            self._lasting = True
        elif cue.kind == "planned":
            self._planned = True
            if not self._has_parts:
                self._now = replace(self._now, planned=True)
        elif cue.kind == "stop":
            self._changed = self._has_parts
            self._next_if(False)
            self._now = replace(self._now, stopped=True, end=max(self._now.end, cue.end))
        elif cue.kind in ("loading", "maintenance"):
            phase: Phase = "loading" if cue.kind == "loading" else "maintenance"
            # 首剂300mg，维持75mg; 500mg首日: what is said already is of this phase.
            if phase == "maintenance" and self._has_parts and self._now.end != cue.start:
                self._changed = True
                self._next_if(True)
            self._now = replace(self._now, phase=phase)
        else:
            self._changed = self._has_parts

    @property
    def _has_parts(self) -> bool:
        now = self._now
        return any((now.dose, now.schedule, now.rate, now.duration, now.stopped)) or (
            bool(now.frequency or now.route) and not self._led_kinds
        )

    def _next_if(self, another: bool) -> None:
        """Begin the next fact where something else is said now than before."""
        if not (another or self._changed) or not self._has_parts:
            return
        self._done.append(self._now)
        self._now = Regimen(
            self._drug, self._drug.start, self._drug.end, order=len(self._done),
            replaces=self._changed, planned=self._planned,
        )  # fmt: skip
        self._changed = False

    def _set(self, token: Quantity | Frequency | Route, **parts: object) -> None:
        start, end = min(self._now.start, token.start), max(self._now.end, token.end)
        self._now = replace(self._now, start=start, end=end, **parts)  # type: ignore[arg-type]

    def _condition(self, condition: Condition) -> None:
        known = self._now.condition
        if known is not None:
            # prn（体温＞38.5℃）
            begin, stop = min(known.start, condition.start), max(known.end, condition.end)
            if condition.start - known.end > 2 or condition.text[0] not in "(（":
                return
            condition = Condition(begin, stop, self._text[begin:stop])
        start, end = min(self._now.start, condition.start), max(self._now.end, condition.end)
        self._now = replace(self._now, condition=condition, start=start, end=end)

    def _add_quantity(self, quantity: Quantity) -> None:
        unit = quantity.unit
        if unit.measures("time", "months") or (unit.measures("times") and self._times):
            if _STOPS_TIME.match(self._folded, quantity.end) or quantity.ordinal:
                return
            # 三餐前30分钟 tells when, not how long.
            repeated = self._times or self._lasting
            long = unit.shown not in ("h", "min", "s")
            if (repeated or (long and self._has_parts)) and self._now.duration is None:
                self._set(quantity, duration=quantity)
        elif is_rate(quantity):
            self._next_if(self._now.rate is not None)
            self._set(quantity, rate=quantity)
        elif self._times and self._now.dose is not None and unit.measures(*_COUNTED):
            # 2.5mg×4片 is one dose, 0.25g×24片 a package.
            if quantity.high <= 12 and self._now.count is None:
                self._set(quantity, count=quantity)
            else:
                self._strength = self._now.dose
                self._now = replace(self._now, dose=None)
        elif strength := of_one(quantity):
            self._strength = strength
        elif is_dose(quantity) or self._is_bare_dose(quantity):
            self._add_dose(quantity)

    def _is_bare_dose(self, quantity: Quantity) -> bool:
        """氯化钾缓释片1.0 tid: right behind the name, in front of how often or by which way."""
        if quantity.unit or quantity.shape != "one" or self._now.dose is not None:
            return False
        if not _NAME_REST.fullmatch(self._folded, self._drug.end, quantity.start):
            return False
        behind = self._folded[quantity.end : quantity.end + 8].lstrip()
        hits = [*(f.start for f in frequencies(behind)), *(r.start for r in routes(behind))]
        return 0 in hits

    def _add_dose(self, dose: Quantity) -> None:
        if self._has_parts and _BY.search(self._folded, self._now.end, dose.start):
            return
        at = _AT.search(self._folded, max(self._drug.end, dose.start - 5), dose.start)
        now = self._now
        if at and not self._changed and (now.schedule or now.dose is None):
            self._set(dose, schedule=(*now.schedule, (at[0].strip(), dose)))
            return
        if now.schedule and not self._changed:
            self.forget_schedule()
            return
        if dose.unit.measures(*_COUNTED) and (strength := self._of_piece(dose)):
            # 25mg/片 每次2片, 片（25mg）每次2片: so many pieces of so much.
            self._next_if(self._changed or now.count is not None)
            self._set(dose, dose=strength, count=dose)
            return
        if now.dose is not None and not self._changed:
            if not now.dose.unit.converts_to(dose.unit):
                # 180mg加NS至50ml: what it is dissolved in.
                return
            self._next_if(True)
        else:
            self._next_if(False)
        self._set(dose, dose=dose)

    def _of_piece(self, count: Quantity) -> Quantity | None:
        """What one of the counted pieces holds, where it is said."""
        known = self._now.dose
        if known is not None and not self._changed and not known.unit.measures(*_COUNTED):
            between = self._folded[known.end : count.start]
            if self._now.count is None and _EACH.fullmatch(between):
                self._strength = known
        if self._strength is None or len(count.values) != 1:
            return None
        return self._strength

    def regimens(self) -> list[Regimen]:
        """The facts in their order; what a later fact, that is no plan, replaces is not current."""
        facts = [*self._done, self._now]
        found = []
        for number, one in enumerate(facts):
            later = any(other.replaces and not other.planned for other in facts[number + 1 :])
            planned = one.planned and any(not other.planned for other in facts)
            current = not later and not planned
            found.append(replace(self._inherited(facts, number), current=current))
        return found

    def _inherited(self, found: Sequence[Regimen], number: int) -> Regimen:
        """A fact with what is not said again: 2.5mg qd，加量至5mg is qd still."""
        one = found[number]
        if number == 0 or one.stopped:
            return one
        before = found[number - 1]
        inherited: dict[str, object] = {}
        goes_on = one.route is None and one.duration is None and not before.is_once
        if goes_on and one.frequency is None and not before.phase:
            inherited["frequency"] = before.frequency
        if one.route is None and not before.is_once:
            inherited["route"] = before.route
        dosed = one.dose or one.rate or one.schedule
        if not dosed and one.frequency and not one.route:
            inherited |= {"dose": before.dose, "count": before.count}
        inherited = {name: part for name, part in inherited.items() if part is not None}
        return replace(one, inherited=frozenset(inherited), **inherited)  # type: ignore[arg-type]
