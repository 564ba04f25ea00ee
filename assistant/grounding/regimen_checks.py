"""A drug as the statement gives it must be one regimen of the record, in every element."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from assistant.draft import ProblemKind
from assistant.grounding.check import Check
from assistant.grounding.regimen_elements import (
    canonical,
    class_rows,
    elements_agree,
    partner,
    parts_of,
    same_drug,
    turns_of,
)
from assistant.grounding.source import Reading, Source
from assistant.grounding.stance import NOT_THERE
from knowledge.text.regimen import Regimen

_BARRING = NOT_THERE | {"allergy", "stopped", "needed"}
_FIRST = re.compile(
    r"初始|起始|初予|起初|最初|开始|首[先次剂日]|先(?:后)?予|先给|曾|原|入院[时后]|急诊|术[前中后]|当[日天晚]|昨|负荷|第[1一]天"
)
_SENTENCE_END = re.compile(r"[。；;\n]")
_INSTEAD = re.compile(r"[改换](?:用|为|成|服|予|口服)?")
_BEFORE = re.compile(r"曾|院内|既往|入院前|外院")
_CURRENT = re.compile(r"目前|现(?!病史|象)|仍|继续|维持|长期|最终|出院(?:带药|后)|至今")


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
        if _is_test(check, said):
            continue
        name = canonical(said.drug.name)
        same = [
            (n, g)
            for n, g in enumerate(given)
            if same_drug(said.drug.name, g.regimen.drug.name)
            and partner(check.text, said) == partner(g.source.text, g.regimen)
        ]
        holding = [s for s in check.sources if said.drug.name in s.text]
        if not same and not holding:
            if said.is_said or not _class_is_given(said.drug.name, given):
                check.problem("drug", said.drug.name)
            continue
        if not same:
            if said.is_said:
                check.problem("dose", _words(check.text, said))
            check.use(holding[0])
            continue
        check.taken.update(parts_of(said))
        fitting = [(n, g) for n, g in same if _is_told(check, said, g)]
        in_order = [(n, g) for n, g in fitting if said.order == 0 or n > after.get(name, -1)]
        if in_order:
            wanted = check.said.bigrams
            best = max(in_order, key=lambda item: len(wanted & item[1].source.bigrams))
            after[name] = min(n for n, _ in in_order)
            check.use(best[1].source)
            for start, end in [*parts_of(said), *turns_of(check.text, said)]:
                check.verify(start, end)
        else:
            check.problem(_kind(check, said, [g for _, g in same]), _words(check.text, said))


def _class_is_given(name: str, given: Sequence[Given]) -> bool:
    """Whether the record has a drug of a class: 抗生素 is said of 美罗培南."""
    return any(
        re.fullmatch(row[0], name) and any(re.search(row[1], g.regimen.drug.name) for g in given)
        for row in class_rows()
    )


def _is_test(check: Check, said: Regimen) -> bool:
    """Whether it is what a value is of: 白蛋白27g/L."""
    return any(
        m.concept and m.name_start <= said.drug.start and said.drug.end <= m.name_end
        for m in check.said.measured
    ) and not (said.route or said.frequency)


def _words(text: str, said: Regimen) -> str:
    return text[said.start : said.end].strip("，。；,; ") or said.drug.name


def _kind(check: Check, said: Regimen, written: Sequence[Given]) -> ProblemKind:
    """Where only the way it is meant differs, that is what is wrong."""
    alike = any(
        elements_agree(replace(said, stopped=g.regimen.stopped), g.regimen, g.source)
        and _rest_is_told(check, said, g)
        for g in written
    )
    return "certainty" if alike or not said.is_said else "dose"


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
        elements_agree(said, written, given.source)
        and _rest_is_told(check, said, given)
        and _is_of_its_time(check, said, given)
    )


_SOLVENT_BEFORE = re.compile(
    r"(?:\d[\d.]*[%％])?(?:葡萄糖|氯化钠|生理盐水)(?:注射液|溶液)?"
    r"[ ]?[\d.]+[ ]?(?:ml|mL|ML|毫升)[ ]?(?:[+＋]|加入?)[ ]?\Z"
)


def _rest_is_told(check: Check, said: Regimen, given: Given) -> bool:
    """Whether amounts in the statement's regimen that are none of its parts stand in the record's:
    5ml:50mg/支 每次60mg."""
    known = {place for one in check.said.regimens for place in parts_of(one)}
    rest = [
        m.quantity
        for m in check.said.measured
        if said.drug.end <= m.quantity.start < said.end
        and (m.quantity.start, m.quantity.end) not in known
    ]
    begin = given.regimen.start
    if given.regimen.stopped and (clause := given.source.clause_of(begin)):
        # 3天前停用阿司匹林 is 阿司匹林3天前停用.
        begin = clause.start
    if solvent := _SOLVENT_BEFORE.search(given.source.text, 0, begin):
        # 5%葡萄糖500ml+维生素C 2g is 维生素C 2g加入5%葡萄糖500ml.
        begin = solvent.start()
    told = [m.quantity for m in given.source.measured if m.quantity.start >= begin]
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
    clause = check.said.clause_of(said.drug.start)
    words = check.text[clause.start if clause else 0 : max(said.end, said.drug.end)]
    # 出院带药：… is said of all behind it.
    claimed = _CURRENT.search(_SENTENCE_END.split(check.text[: said.end])[-1]) is not None
    if said.stopped and claimed:
        return written.current and not _is_given_again(check, given)
    if claimed and _was_before(given):
        return False
    if not said.is_said or said.stopped:
        return True
    if not said.current:
        return True
    if said.order:
        return written.current
    first = _FIRST.search(words) is not None or said.phase == "loading"
    once = said.frequency is not None and said.frequency.is_once
    if first or once or _has_date(check, said):
        return written.order == 0 or not first or written.current is False
    return written.current and not _is_replaced(check, given, claimed)


def _has_date(check: Check, said: Regimen) -> bool:
    return any(d.date.start <= said.drug.start for d in check.said.dated)


def _is_given_again(check: Check, given: Given) -> bool:
    """Whether a later sentence, or the rest of this one, gives the drug that was stopped."""
    at = check.sources.index(given.source)
    later = [(n, r) for n, s in enumerate(check.sources) if n >= at for r in s.regimens]
    return any(
        (n > at or r.drug.start > given.regimen.drug.start)
        and same_drug(r.drug.name, given.regimen.drug.name)
        and not (r.stopped or r.planned)
        for n, r in later
    )


def _was_before(given: Given) -> bool:
    """Whether the sentence gives the drug for an earlier time, or another in its place since."""
    start, end = given.regimen.drug.start, given.regimen.drug.end
    clause = given.source.clause_of(start)
    before = clause.text[: start - clause.start] if clause else ""
    instead = {hit.end() for hit in _INSTEAD.finditer(given.source.text, end)}
    others = {other.drug.start for other in given.source.regimens}
    return given.regimen.replaced or bool(_BEFORE.search(before) or instead & others)


def _is_replaced(check: Check, given: Given, claimed: bool) -> bool:
    """Whether a later sentence stops the drug or gives it another dose, where it is claimed to
    hold now."""
    for other in given.source.regimens:
        later = other.drug.start > given.regimen.drug.start and other.stopped
        if later and same_drug(given.regimen.drug.name, other.drug.name):
            return True
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
