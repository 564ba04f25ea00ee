"""Regimens: one way in which a drug is given, as one fact.

Drug, dose, route, frequency, duration and condition that belong together are read together, so that
the frequency of one is never mixed with the dose of another: 15mg bid×21天，后改20mg qd is two facts
in their order, the second in place of the first.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Literal

from knowledge.text.drugs import DrugMention, DrugNames, shipped_drugs
from knowledge.text.folding import fold
from knowledge.text.frequency import Frequency, frequencies
from knowledge.text.quantity import Quantity, quantities
from knowledge.text.route import Route, routes

Phase = Literal["", "loading", "maintenance"]
CueKind = Literal["change", "loading", "maintenance", "stop", "planned", "times", "duration"]

_DOSED = (
    "mass", "volume", "units", "international units", "axa units", "amount", "charge", "tablets",
    "capsules", "pills", "ampoules", "bags", "sachets", "bottles", "patches", "drops", "puffs",
)  # fmt: skip
_PER_DOSE = frozenset({"weight", "area", "times"})
_COUNTED = _DOSED[7:15]
_SENTENCE = re.compile(r"[。;\n\r]")
_AND = re.compile(r"[ \t]*[、,和及与+][ \t]*")
_COMMA = re.compile(r"[,、，]")
# Another thing's amount: 呋塞米后尿量2000ml, 肝素抗凝，术中出血150ml.
_ANOTHER = re.compile(
    r"尿|引流|出血|失血|体重|血糖|血压|饮|抽|水|积液|浓度|水平|含量|入量|出量|补液"
)
_STATE = r"[^,。;\n、()\d \t]{1,10}"
_LIMIT = r"[ \t]*[<>≥≤]?[ \t]*\d[\d./]*[ \t]*(?:mmhg|℃|度|次/分|mmol/l|分)?"
_WHEN = r"(?<![小当同平此定按及随暂即有院术餐饭短长届])时(?![间候期常有而段许])"
_TESTED = r"(?:体温|t|收缩压|sbp|bp|血压|血糖)"
_CONDITION = re.compile(
    rf"{_STATE}(?:{_LIMIT})?[ \t]*{_WHEN}|\({_TESTED}[^()]{{1,14}}\)"
    rf"|{_TESTED}[ \t]*(?:[<>≥≤]|高于|大于|超过|低于|小于){_LIMIT}"
)
_DIRECTIONS = re.compile(r"sig[ \t]*[.:]?|用法用量[ \t]*[.:]?|用法[ \t]*[.:]?|服法[ \t]*:?")
_FILLER = re.compile(
    r"每次|一次|[1一]次|每天|每日|治疗|抗凝|抗感染|抗炎|口服|服用|继续|长期|规律|目前|现在?|仍|予以?|给予|同时|共|分|用|服"
    r"|及|和|并|以|均|各|嘱|院外|出院后|住院期间|后|再|又|已|昨日?起?|今日?起?|明日?起?|起|于|约|左右|量|剂|静|皮下|临时|睡前|餐前|餐后"
    r"|饭前|饭后|空腹|早餐前|晚餐前|早|中|晚|晨|因|按|术前|术后|维持|加|减|改|为|至|到|了|的|次|天|周|月|第|前|余|多|当[日天]|患者|自行|遵医嘱"
)
_AT = re.compile(r"(?<![术每])(?:早|中午|中|午|晚|晨|睡前)(?:[餐饭][前后]?|上)?[ \t]?\Z")
# 每周减5mg tells a step, no dose.
_BY = re.compile(r"[加减增降](?:量|少|加)?[ \t]?\Z")
_STEP = re.compile(r"[加减增降](?:量|少|加)?[ \t]?\d")
_NAME_REST = re.compile(r"(?:[缓控]释|肠溶|分散|咀嚼)?(?:片|胶囊|颗粒|散|针|注射液|口服液)?[ \t]*")
_STOPS_TIME = re.compile(r"(?:以)?[后前时内来]")


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
    ``rate`` is what runs in a time (5ug/kg/min).  ``order`` counts the facts of one drug in one
    chain from 0; ``current`` is the one that holds at its end.  ``stopped``: it is given no more.
    ``replaced``: another drug has taken its place.  ``planned``: the text only means to (拟加量至).  ``inherited`` names what is not said again
    (2.5mg qd，加量至5mg).
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
    duration: Quantity | None = None
    condition: Condition | None = None
    phase: Phase = ""
    order: int = 0
    current: bool = True
    stopped: bool = False
    replaced: bool = False
    planned: bool = False
    inherited: frozenset[str] = frozenset()

    @property
    def is_said(self) -> bool:
        """Whether anything but the drug's name is said."""
        said = (self.dose, self.rate, self.route, self.frequency, self.duration, self.condition)
        return any(said) or bool(self.schedule) or self.stopped

    @property
    def dose_value(self) -> Decimal | None:
        """The number of one dose, a strength times its count; None for a range or none."""
        if self.dose is None or len(self.dose.values) != 1:
            return None
        times = self.count.values[0] if self.count and len(self.count.values) == 1 else Decimal(1)
        return self.dose.values[0] * times


@dataclass(frozen=True, slots=True)
class _Cue:
    start: int
    end: int
    kind: CueKind


_Token = Quantity | Frequency | Route | Condition | _Cue


@cache
def cue_rows() -> list[list[str]]:
    """The rows of the table of cues: kind, pattern, example."""
    text = (files("knowledge.text") / "data" / "regimen_cues.tsv").read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]


@cache
def _cues() -> re.Pattern[str]:
    return re.compile("|".join(f"(?P<r{n}>{row[1]})" for n, row in enumerate(cue_rows())))


class RegimenReader:
    """The regimens of one text, whose parts are each read once."""

    def __init__(self, text: str, found: Sequence[Quantity] | None = None) -> None:
        """``found`` are the quantities of ``text``, where they are known already."""
        self._text = text
        self._folded = fold(text)
        self._tokens = _tokens(text, self._folded, quantities(text) if found is None else found)
        self._starts = [token.start for token in self._tokens]
        self._stops = [stop.start() for stop in _SENTENCE.finditer(self._folded)]

    def read(self, drugs: Sequence[DrugMention]) -> list[Regimen]:
        """The regimens of ``drugs`` (in text order), those of one drug in their order."""
        found: list[Regimen] = []
        led: Sequence[_Token] = ()
        for index, drug in enumerate(drugs):
            before = drugs[index - 1].end if index else 0
            after = drugs[index + 1] if index + 1 < len(drugs) else None
            # 停用阿司匹林、氯吡格雷: what stands before a list is said of all.
            listed = index > 0 and _AND.fullmatch(self._folded, before, drug.start)
            led = led if listed else self._between(self._lead(drug, before), drug.start)
            if found and not listed and self._replaces(led, before, drug.start):
                found[-1] = replace(found[-1], replaced=True)
            found += self._of(drug, led, after)
        return found

    def _replaces(self, led: Sequence[_Token], before: int, start: int) -> bool:
        """Whether a drug takes the place of the one before it, in the same sentence."""
        changed = any(
            isinstance(t, _Cue) and t.kind == "change" and t.end >= start - 1 for t in led
        )
        return changed and not _SENTENCE.search(self._folded, before, start)

    def _between(self, start: int, end: int) -> list[_Token]:
        first = bisect_left(self._starts, start)
        last = bisect_left(self._starts, end)
        return [token for token in self._tokens[first:last] if token.end <= end]

    def _of(
        self, drug: DrugMention, led: Sequence[_Token], after: DrugMention | None
    ) -> list[Regimen]:
        number = bisect_left(self._stops, drug.end)
        stop = self._stops[number] if number < len(self._stops) else len(self._text)
        limit = min(stop, self._lead(after, drug.end) if after else stop)
        chain = _Chain(drug)
        for token in led:
            chain.lead(token)
        start = drug.end
        if directed := _DIRECTIONS.search(self._folded, drug.end, limit):
            # What stands before the directions is the package.
            start = directed.end()
        for begin, end, own in self._clauses(start, limit):
            tokens = self._between(begin, end)
            if not self._belongs(begin, end, tokens, own, chain):
                break
            for token in self._usable(tokens, begin, own):
                chain.add(token, self._folded)
        return chain.regimens()

    def _lead(self, drug: DrugMention, before: int) -> int:
        """Where what is said before a drug, in its own clause, begins."""
        begin = max(before, drug.start - 40)
        edges = [
            hit.end() for hit in re.finditer(r"[,，、。;\n]", self._folded[begin : drug.start])
        ]
        at = begin + edges[-1] if edges else begin
        # Without a mark between them, what stands between two drugs is said of the first.
        return at if edges or before == 0 or begin > before else drug.start

    def _clauses(self, start: int, limit: int) -> Iterator[tuple[int, int, bool]]:
        """The clauses of ``[start, limit)`` and whether each is the drug's own."""
        begin, own = start, True
        inside = {n for t in self._between(start, limit) for n in range(t.start, t.end)}
        for comma in _COMMA.finditer(self._folded, start, limit):
            if comma.start() not in inside:
                yield begin, comma.start(), own
                begin, own = comma.end(), False
        yield begin, limit, own

    def _belongs(
        self, begin: int, end: int, tokens: Sequence[_Token], own: bool, chain: _Chain
    ) -> bool:
        """Whether a clause without a drug is still about the one before it."""
        if own:
            return True
        rest = list(self._folded[begin:end])
        for token in tokens:
            rest[token.start - begin : token.end - begin] = " " * (token.end - token.start)
        left = _FILLER.sub("", "".join(rest)).strip(" \t()[]:.+")
        if not left:
            return bool(tokens) or not self._folded[begin:end].strip()
        changed = any(isinstance(t, _Cue) and t.kind in ("change", "stop") for t in tokens)
        return changed and any(
            (isinstance(t, Quantity) and chain.is_alike(t)) or isinstance(t, Frequency | Route)
            or (isinstance(t, _Cue) and t.kind == "stop") for t in tokens
        )  # fmt: skip

    def _usable(self, tokens: Sequence[_Token], begin: int, own: bool) -> Iterator[_Token]:
        """The tokens up to an amount of something else."""
        at = begin
        for token in tokens:
            if (
                isinstance(token, Quantity)
                and own
                and _ANOTHER.search(self._folded, at, token.start)
            ):
                return
            yield token
            at = token.end


class _Chain:
    """The facts of one drug, being put together from left to right."""

    def __init__(self, drug: DrugMention) -> None:
        self._drug = drug
        self._done: list[Regimen] = []
        self._now = Regimen(drug, drug.start, drug.end)
        self._led: list[_Token] = []
        self._changed = False
        self._cue = ""
        self._planned = False
        self._times = False
        self._lasting = False
        self._inside_condition = 0

    def is_alike(self, quantity: Quantity) -> bool:
        """Whether a quantity may be another dose of this drug."""
        doses = [r.dose or r.rate for r in (*self._done, self._now)]
        return any(dose.unit.converts_to(quantity.unit) for dose in doses if dose)

    def lead(self, token: _Token) -> None:
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
            case _Cue(kind="stop"):
                self._now = replace(
                    self._now, stopped=True, start=min(self._now.start, token.start)
                )
            case _Cue(kind="planned"):
                self._planned = True
                self._now = replace(self._now, planned=True)
        self._led.append(token)

    def add(self, token: _Token, folded: str) -> None:
        """One more token behind the drug."""
        if token.start < self._inside_condition:
            return
        match token:
            case _Cue():
                self._add_cue(token, folded)
            case Condition():
                self._inside_condition = token.end
                self._condition(token)
            case Frequency() if token.is_as_needed:
                self._condition(Condition(token.start, token.end, folded[token.start : token.end]))
            case Frequency() if _STEP.match(folded, token.end):
                return
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
                self._add_quantity(token, folded)
        if not isinstance(token, _Cue):
            self._times = self._lasting = False

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

    def _add_cue(self, cue: _Cue, folded: str) -> None:
        if cue.kind == "times":
            self._times = True
        elif cue.kind == "duration":
            self._lasting = True
        elif cue.kind == "planned":
            self._planned = True
            if not self._has_said:
                self._now = replace(self._now, planned=True)
        elif cue.kind == "stop":
            self._next_if(self._has_said)
            self._now = replace(self._now, stopped=True, end=max(self._now.end, cue.end))
        elif cue.kind in ("loading", "maintenance"):
            phase: Phase = "loading" if cue.kind == "loading" else "maintenance"
            # 首剂300mg，维持75mg; 500mg首日: what is said already is of this phase.
            if phase == "maintenance" and self._has_said and self._now.end != cue.start:
                self._changed, self._cue = True, "维持"
                self._next_if(True)
            self._now = replace(self._now, phase=phase)
        else:
            self._changed = self._has_said
            self._cue = folded[cue.start : cue.end]

    @property
    def _has_said(self) -> bool:
        now = self._now
        return any((now.dose, now.schedule, now.rate, now.duration, now.stopped)) or (
            bool(now.frequency or now.route) and not self._led_kinds
        )

    def _next_if(self, another: bool) -> None:
        """Begin the next fact where something else is said now than before."""
        if not (another or self._changed) or not self._has_said:
            return
        self._done.append(self._now)
        order = len(self._done)
        self._now = Regimen(self._drug, self._drug.start, self._drug.end, order=order)
        self._now = replace(self._now, planned=self._planned)
        self._changed = False

    def _set(self, token: Quantity | Frequency | Route, **said: object) -> None:
        start, end = min(self._now.start, token.start), max(self._now.end, token.end)
        self._now = replace(self._now, start=start, end=end, **said)  # type: ignore[arg-type]

    def _condition(self, condition: Condition) -> None:
        if self._now.condition is None:
            start = min(self._now.start, condition.start)
            end = max(self._now.end, condition.end)
            self._now = replace(self._now, condition=condition, start=start, end=end)

    def _add_quantity(self, quantity: Quantity, folded: str) -> None:
        unit = quantity.unit
        if unit.measures("time", "months") or (unit.measures("times") and self._times):
            if _STOPS_TIME.match(folded, quantity.end) or quantity.ordinal:
                return
            if (self._times or self._lasting or self._has_said) and self._now.duration is None:
                self._set(quantity, duration=quantity)
        elif is_rate(quantity):
            self._next_if(self._now.rate is not None)
            self._set(quantity, rate=quantity)
        elif self._times and self._now.dose is not None and unit.measures(*_COUNTED):
            # 2.5mg×4片 is one dose, 0.25g×24片 a package.
            if quantity.high <= 12 and self._now.count is None:
                self._set(quantity, count=quantity)
            else:
                self._now = replace(self._now, dose=None)
        elif is_dose(quantity) or self._is_bare_dose(quantity, folded):
            self._add_dose(quantity, folded)

    def _is_bare_dose(self, quantity: Quantity, folded: str) -> bool:
        """氯化钾缓释片1.0 tid: right behind the name, in front of how often or by which way."""
        if quantity.unit or quantity.shape != "one" or self._now.dose is not None:
            return False
        if not _NAME_REST.fullmatch(folded, self._drug.end, quantity.start):
            return False
        behind = folded[quantity.end : quantity.end + 8].lstrip()
        hits = (*frequencies(behind), *routes(behind))
        return any(hit.start == 0 for hit in hits)

    def _add_dose(self, dose: Quantity, folded: str) -> None:
        if self._has_said and _BY.search(folded, self._now.end, dose.start):
            return
        at = _AT.search(folded, max(self._drug.end, dose.start - 5), dose.start)
        now = self._now
        if at and not self._changed and (now.schedule or now.dose is None):
            self._set(dose, schedule=(*now.schedule, (at[0].strip(), dose)))
            return
        if now.dose is not None or now.schedule or now.rate is not None:
            same = now.dose is not None and now.dose.end + 1 == dose.start
            if same and folded[dose.start - 1] == "/":
                return
            self._next_if(True)
        else:
            self._next_if(False)
        self._set(dose, dose=dose)

    def regimens(self) -> list[Regimen]:
        """The facts in their order; the last that is no plan is the current one."""
        found = [*self._done, self._now]
        found = [self._inherited(found, n) for n in range(len(found))]
        real = [n for n, one in enumerate(found) if not one.planned] or [len(found) - 1]
        return [replace(one, current=n == real[-1]) for n, one in enumerate(found)]

    def _inherited(self, found: Sequence[Regimen], number: int) -> Regimen:
        """A fact with what is not said again: 2.5mg qd，加量至5mg is still qd; 改为qd is still 5mg."""
        one = found[number]
        if number == 0 or one.stopped:
            return one
        before = found[number - 1]
        told: dict[str, object] = {}
        if one.frequency is None and one.duration is None and before.frequency is not None:
            if not before.frequency.is_once and not before.phase and one.route is None:
                told["frequency"] = before.frequency
        if (
            one.route is None
            and before.route is not None
            and not (before.frequency and before.frequency.is_once)
        ):
            told["route"] = before.route
        if (
            one.dose is None
            and one.rate is None
            and not one.schedule
            and one.frequency
            and not one.route
        ):
            told["dose"] = before.dose
            told["count"] = before.count
        return replace(one, inherited=frozenset(told), **told)  # type: ignore[arg-type]


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


_RATES = re.compile(r"/(?:\(?\d*\.?)?(?:min|h|s)\b")


def is_rate(quantity: Quantity) -> bool:
    """Whether a quantity tells how much runs in a time: 5ml/h, 5ug/kg/min; 15mg/周 is a dose."""
    powers = dict(quantity.unit.dimensions)
    given = any(powers.get(kind, 0) > 0 for kind in _DOSED)
    return given and powers.get("time", 0) < 0 and _RATES.search(quantity.unit.code) is not None


def _tokens(text: str, folded: str, found: Sequence[Quantity]) -> list[_Token]:
    tokens: list[_Token] = [*found, *frequencies(text), *routes(text)]
    read = [(t.start, t.end) for t in tokens if not isinstance(t, Quantity) or is_dose(t)]
    for match in _CONDITION.finditer(folded):
        # 100mg发热时: what is read already is no part of it.
        inside = [end for start, end in read if start < match.end() and end < match.end()]
        start = max([match.start(), *inside])
        tokens.append(Condition(start, match.end(), text[start : match.end()]))
    for match in _cues().finditer(folded):
        kind: CueKind = cue_rows()[int((match.lastgroup or "r0")[1:])][0]  # type: ignore[assignment]
        tokens.append(_Cue(*match.span(), kind))
    return sorted(tokens, key=lambda token: (token.start, -token.end))


def regimens(text: str, drugs: Sequence[DrugMention] | None = None) -> list[Regimen]:
    """The regimens of ``text``, in the order of its drugs; those of one drug in their order.

    ``drugs`` are the drugs that it names, where they are known; else stems and shipped names tell.
    """
    if drugs is None:
        drugs = shipped_names().find(text)
    return RegimenReader(text).read(drugs)


@cache
def shipped_names() -> DrugNames:
    """The reader of drug names that knows the shipped ones."""
    return DrugNames(shipped_drugs())
