"""A drug as the statement gives it must be one regimen of the record, in every element."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Protocol

from assistant.draft import ProblemKind
from assistant.grounding.check import Check
from assistant.grounding.source import Reading, Source
from assistant.grounding.stance import NOT_THERE
from assistant.grounding.wording import bigrams
from knowledge.text.amount import Quantity
from knowledge.text.drugs import generic_name, shipped_drug
from knowledge.text.frequency import Frequency, frequencies
from knowledge.text.regimen import Regimen
from knowledge.text.route import Route, routes

_BARRING = NOT_THERE | {"allergy", "stopped", "needed"}
_FIRST = re.compile(
    r"初始|起始|初予|起初|最初|开始|首[先次剂日]|先(?:后)?予|先给|曾|原|入院[时后]|急诊|术[前中后]|当[日天晚]|昨|负荷|第[1一]天"
)
_CURRENT = re.compile(r"目前|现(?!病史|象)|仍|继续|维持|长期|最终|出院(?:带药|后)|至今")
_CLASSES = ("胰岛素",)
"""Names that a ward writes for any drug that ends with them."""


@dataclass(frozen=True)
class Given:
    """A regimen of the record with the sentence that gives it."""

    source: Source
    regimen: Regimen


def check_regimens(check: Check) -> None:
    """Each regimen of the statement must be one regimen of the record, in the same order."""
    given = [Given(s, r) for s in check.sources for r in s.regimens]
    after: dict[str, int] = {}
    for said in check.said.regimens:
        name = canonical(said.drug.name)
        same = [
            (n, g)
            for n, g in enumerate(given)
            if same_drug(said.drug.name, g.regimen.drug.name)
            and _partner(check.text, said) == _partner(g.source.text, g.regimen)
        ]
        holding = [s for s in check.sources if said.drug.name in s.text]
        if not same and not holding:
            check.problem("drug", said.drug.name)
            continue
        if not same:
            if said.is_said:
                check.problem("dose", _words(check.text, said))
            check.use(holding[0])
            continue
        check.taken.update(_parts(said))
        fitting = [(n, g) for n, g in same if _is_told(check, said, g)]
        in_order = [(n, g) for n, g in fitting if said.order == 0 or n > after.get(name, -1)]
        if in_order:
            wanted = check.said.bigrams
            best = max(in_order, key=lambda item: len(wanted & item[1].source.bigrams))
            after[name] = min(n for n, _ in in_order)
            check.use(best[1].source)
            for start, end in _parts(said):
                check.verify(start, end)
        else:
            check.problem(_kind(check, said, [g for _, g in same]), _words(check.text, said))


def _words(text: str, said: Regimen) -> str:
    return text[said.start : said.end].strip("，。；,; ") or said.drug.name


def _kind(check: Check, said: Regimen, written: Sequence[Given]) -> ProblemKind:
    """Where only the way it is meant differs, that is what is wrong."""
    alike = any(
        _elements(replace(said, stopped=g.regimen.stopped), g.regimen, g.source)
        and _rest_is_told(check, said, g)
        for g in written
    )
    return "certainty" if alike or not said.is_said else "dose"


def canonical(name: str) -> str:
    """One name for the wordings of a drug: 注射用头孢曲松钠 is 头孢曲松."""
    return shipped_drug(name) or shipped_drug(generic_name(name)) or generic_name(name)


def same_drug(said: str, written: str) -> bool:
    """Whether both name one drug; 肝素 is not 低分子肝素, 肾上腺素 not 去甲肾上腺素."""
    one, two = canonical(said), canonical(written)
    if one == two or said == written:
        return True
    if said in _CLASSES and written.endswith(said):
        return True
    # A stem may have caught a word before the name: that longer name is no drug of its own.
    longer, shorter = (written, said) if len(written) > len(said) else (said, written)
    return (
        longer.endswith(shorter) and shipped_drug(longer) is None and len(longer) - len(shorter) < 2
    )


_PARTNER = re.compile(r"克拉维酸|舒巴坦|唑巴坦|西司他丁|氢氯噻嗪|缬沙坦氨氯|沙库巴曲")


def _partner(text: str, regimen: Regimen) -> str:
    """The second drug of a compound: 阿莫西林 is not 阿莫西林克拉维酸钾."""
    found = _PARTNER.search(text, regimen.drug.start, regimen.drug.end + 6)
    return found[0] if found else ""


def _is_told(check: Check, said: Regimen, given: Given) -> bool:
    """Whether the record's regimen has all that is said, and is meant and current as it is."""
    written = given.regimen
    mine = check.said.stances_at(said.drug.start)
    theirs = given.source.stances_at(written.drug.start)
    if (theirs & _BARRING) - mine - _own(said):
        return False
    if _is_denied(given.source, written) != _is_denied(check.said, said):
        return False
    if _is_planned(check.said, said) != _is_planned(given.source, written):
        return False
    return (
        _elements(said, written, given.source)
        and _rest_is_told(check, said, given)
        and _is_of_its_time(check, said, given)
    )


def _rest_is_told(check: Check, said: Regimen, given: Given) -> bool:
    """Whether amounts in the statement's regimen that are none of its parts stand in the record's:
    5ml:50mg/支 每次60mg."""
    known = {place for one in check.said.regimens for place in _parts(one)}
    rest = [
        m.quantity
        for m in check.said.measured
        if said.drug.end <= m.quantity.start < said.end
        and (m.quantity.start, m.quantity.end) not in known
    ]
    told = [m.quantity for m in given.source.measured if m.quantity.start >= given.regimen.start]
    return all(any(one.same(other) for other in told) for one in rest)


_DENIED_BEHIND = re.compile(
    r"\s*[:：]?\s*[（(]?\s*(?:无|否|未用|未服|未使用|不用|[-－]\s*[）)])(?=[，,。；;、）)\s]|$)"
)


def _is_denied(reading: Reading, regimen: Regimen) -> bool:
    """Whether it is said not to be given: 华法林：无, 否认服用华法林."""
    start, end = regimen.drug.start, regimen.drug.end
    if _DENIED_BEHIND.match(reading.text, end):
        return True
    clause = reading.clause_of(start)
    denied = clause.denials if clause else []
    shift = clause.start if clause else 0
    return any(d.start + shift < end and start < d.end + shift for d in denied)


_HEADED = re.compile(r"(?:诊疗|治疗)计划|出院医嘱|医嘱[:：]")


def _is_planned(reading: Reading, regimen: Regimen) -> bool:
    """Whether it is only meant; what stands under a heading of orders is given all the same."""
    if _HEADED.search(reading.text):
        return False
    return regimen.planned or "planned" in reading.stances_at(regimen.drug.start)


def _own(said: Regimen) -> set[str]:
    """Stances that the statement's own regimen has."""
    found = set()
    if said.stopped:
        found.add("stopped")
    if said.planned:
        found.add("planned")
    if said.condition:
        found.add("needed")
    return found


def _is_of_its_time(check: Check, said: Regimen, given: Given) -> bool:
    """A dose that was changed later is not told as the one that holds, nor the other way round."""
    written = given.regimen
    if not said.is_said or said.stopped:
        return True
    clause = check.said.clause_of(said.drug.start)
    words = check.text[clause.start if clause else 0 : max(said.end, said.drug.end)]
    if not said.current:
        return True
    if said.order:
        return written.current
    first = _FIRST.search(words) is not None or said.phase == "loading"
    once = said.frequency is not None and said.frequency.is_once
    if first or once or _has_date(check, said):
        return written.order == 0 or not first or written.current is False
    return written.current and not _is_replaced(check, given, _CURRENT.search(words) is not None)


def _has_date(check: Check, said: Regimen) -> bool:
    return any(d.date.start <= said.drug.start for d in check.said.dated)


def _is_replaced(check: Check, given: Given, claimed: bool) -> bool:
    """Whether a later sentence stops the drug or gives it another dose, where it is claimed to
    hold now."""
    if not claimed:
        return False
    seen = False
    for source in check.sources:
        if source is given.source:
            seen = True
            continue
        for other in source.regimens if seen else ():
            if not same_drug(given.regimen.drug.name, other.drug.name) or other.planned:
                continue
            changed = other.dose and given.regimen.dose and not other.dose.same(given.regimen.dose)
            if other.stopped or changed:
                return True
    return False


def _elements(said: Regimen, written: Regimen, source: Source) -> bool:
    """Whether every element that is said is that of the written one, and none is left out that
    changes its meaning."""
    return (
        said.stopped == written.stopped
        and _amounts_agree(said, written)
        and (not _said(said, "route") or _route(said) == _route(written))
        and (not _said(said, "frequency") or _frequencies_agree(said, written))
        and _durations_agree(said, written, source)
        and _conditions_agree(said, written)
        and (written.phase != "loading" or said.phase == "loading" or not said.dose)
        and (not said.phase or said.phase == written.phase or not written.phase)
    )


def _said(regimen: Regimen, element: str) -> bool:
    return getattr(regimen, element) is not None and element not in regimen.inherited


def _route(regimen: Regimen) -> str:
    return regimen.route.value if regimen.route else ""


def _frequencies_agree(said: Regimen, written: Regimen) -> bool:
    if said.frequency is None or written.frequency is None:
        return said.frequency is None
    return said.frequency.same(written.frequency)


def _amounts_agree(said: Regimen, written: Regimen) -> bool:
    if said.rate is not None and not (written.rate and said.rate.same(written.rate)):
        return False
    if said.schedule:
        held = [(_at(time), dose) for time, dose in written.schedule]
        return all(
            any(_at(time) == at and dose.same(other) for at, other in held)
            for time, dose in said.schedule
        )
    if not _said(said, "dose") or said.dose is None:
        return said.count is None or any(said.count.same(q) for q in _amounts(written))
    if written.schedule and written.dose is None:
        return len(written.schedule) == 1 and said.dose.same(written.schedule[0][1])
    own = list(_amounts(said))
    return any(a.same(b) for a in own for b in _amounts(written)) and not (
        said.count and written.count and not said.count.same(written.count)
    )


def _amounts(regimen: Regimen) -> Iterator[Quantity]:
    """What one dose is: as written, in pieces, and the strength times the pieces."""
    if regimen.dose is None:
        return
    total = regimen.dose_value
    if regimen.count is None or total is None:
        yield regimen.dose
        return
    yield regimen.count
    number = replace(regimen.dose.numbers[0], written=total, power=0, scale="")
    if regimen.count.values != (Decimal(0),):
        yield replace(regimen.dose, numbers=(number,))


def _at(time: str) -> str:
    return time.replace("中午", "中").replace("上", "").replace("晨", "早")


def _durations_agree(said: Regimen, written: Regimen, source: Source) -> bool:
    """The duration must be that of the regimen, or stand behind it in the sentence."""
    if said.duration is None or "duration" in said.inherited:
        return True
    if written.duration is not None:
        return said.duration.same(written.duration)
    return any(
        m.quantity.same(said.duration) and m.quantity.start > written.drug.start
        for m in source.measured
    )


_ANY_NEED = re.compile(r"必要|需要|按需|prn|PRN")


def _conditions_agree(said: Regimen, written: Regimen) -> bool:
    if (said.condition is None) != (written.condition is None):
        return False
    if said.condition is None or written.condition is None:
        return True
    if _ANY_NEED.search(said.condition.text):
        return True
    return bool(bigrams(said.condition.text) & bigrams(written.condition.text)) or (
        said.condition.text == written.condition.text
    )


class _Part(Protocol):
    """Anything that stands somewhere."""

    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


def _parts(said: Regimen) -> list[tuple[int, int]]:
    """Where the parts of a regimen stand."""
    doses = [dose for _, dose in said.schedule]
    found: list[_Part | None] = [said.drug, said.dose, said.count, said.rate, said.route]
    found += [said.frequency, said.duration, said.condition, *doses]
    return [(part.start, part.end) for part in found if part is not None]


def check_use(check: Check) -> None:
    """A route or a frequency of something that is not known as a drug must stand beside it."""
    own = {place for said in check.said.regimens for place in _parts(said)}
    uses: list[Route | Frequency] = [*routes(check.text), *frequencies(check.text)]
    for use in uses:
        if (use.start, use.end) in own:
            continue
        clause = check.said.clause_of(use.start)
        words = bigrams(clause.text) if clause else set()
        told = [s for s in check.sources for u in s.uses if u == use.value]
        alike = max((len(words & s.bigrams) for s in check.sources), default=0)
        if not any(len(words & s.bigrams) == alike for s in told):
            check.problem("dose", check.text[use.start : use.end])
        else:
            check.verify(use.start, use.end)
