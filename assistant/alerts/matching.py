"""Where the conditions of a rule hold: each way with the words and the places of it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.alerts.checks import CHECKS
from assistant.alerts.dosing import daily_dose
from assistant.alerts.drug import Drug
from assistant.alerts.facts import Facts
from assistant.alerts.rule import Condition, DrugIs, RenalIs, ResultIs, Rule
from assistant.alerts.way import Way


def ways(rule: Rule, facts: Facts) -> Iterator[Way]:
    """The ways in which a rule holds, each key once."""
    found = [Way()]
    for condition in rule.when:
        if condition.check is not None:
            more = list(CHECKS[condition.check](facts))
            found = [way.joined(one) for way in found for one in more]
        else:
            found = [way.joined(one) for way in found for one in holds(condition, facts, way)]
        if not found:
            return
    seen: set[tuple[str, ...]] = set()
    if facts.drafts:
        # Of two ways of one key the one is said that is about what is to be ordered.
        found.sort(key=lambda way: not any(map(facts.is_drafted, way.drugs)))
    for way in found:
        key = tuple(sorted(way.key))
        if key in seen or any(True for c in rule.unless for _ in holds(c, facts, way)):
            continue
        seen.add(key)
        yield way


def holds(condition: Condition, facts: Facts, so_far: Way) -> Iterator[Way]:
    """The ways in which one condition holds, beside what holds already."""
    if condition.drug is not None:
        yield from _drugs(condition.drug, facts, "drug")
    elif condition.beside is not None:
        yield from _beside(condition.beside, facts, so_far)
    elif condition.problem is not None:
        yield from _problem(condition.problem, facts)
    elif condition.result is not None:
        yield from _result(condition.result, facts)
    elif condition.renal is not None:
        yield from _renal(condition.renal, facts)
    elif condition.age is not None:
        age, start, below = facts.age, condition.age.start, condition.age.below
        old_enough = age is not None and (start is None or age >= start)
        if age is not None and old_enough and (below is None or age < below):
            yield Way({"age": f"{int(age)}" if age >= 3 else f"{age:.1f}"})
    elif condition.sex is not None:
        if facts.sex == condition.sex:
            yield Way()
    elif condition.leaving is not None and facts.is_leaving:
        yield Way()


def _is_of(drug: Drug, wanted: DrugIs, facts: Facts) -> bool:
    row = drug.row
    if not drug.classes & set(wanted.of) or drug.classes & set(wanted.no):
        return False
    if (drug.is_local and not wanted.local) or (not drug.home and drug.is_over(facts.at)):
        return False
    if wanted.home is not None and drug.home is not wanted.home:
        return False
    if wanted.route and not (row and re.search(wanted.route, f"{row.route} {row.name}")):
        return False
    if wanted.daily is not None:
        dose = daily_dose(row, wanted.daily.unit, facts) if row else None
        return dose is not None and dose > wanted.daily.over
    return True


def _way(drug: Drug, word: str) -> Way:
    return Way({word: drug.name}, (drug.evidence,), (drug.generic,), (drug,))


def _drugs(wanted: DrugIs, facts: Facts, word: str) -> Iterator[Way]:
    for drug in facts.drugs:
        if _is_of(drug, wanted, facts):
            yield _way(drug, word)


def _beside(wanted: DrugIs, facts: Facts, so_far: Way) -> Iterator[Way]:
    for drug in facts.drugs:
        others = so_far.drugs
        if any(drug is one or drug.generic == one.generic for one in others):
            continue
        if _is_of(drug, wanted, facts) and all(drug.overlaps(one) for one in others):
            yield _way(drug, "other")


def _problem(names: tuple[str, ...], facts: Facts) -> Iterator[Way]:
    for name in names:
        if (told := facts.problem(name)) is not None:
            yield Way({"problem": told.evidence.quote}, (told.evidence,), (name,))
            return


def _within(value: float, below: float | None, above: float | None) -> bool:
    return (below is None or value < below) and (above is None or value >= above)


def _result(wanted: ResultIs, facts: Facts) -> Iterator[Way]:
    newest = facts.latest(wanted.of, wanted.unit)
    if newest is not None and _within(newest[0], wanted.below, wanted.above):
        value, row = newest
        yield Way(
            {"value": f"{value:g}", "test": row.row.name},
            (row.evidence,),
            (f"{row.concept}={value:g}",),
        )


def _renal(wanted: RenalIs, facts: Facts) -> Iterator[Way]:
    renal = facts.renal
    value = renal.egfr if wanted.measure == "egfr" else renal.clearance
    if value is None or not _within(value, wanted.below, wanted.above):
        return
    by_weight = wanted.measure == "clearance" and not renal.assumed
    said = f"{'肌酐清除率' if by_weight else 'eGFR'} {value:.0f} mL/min"
    if wanted.measure == "clearance" and renal.assumed:
        said += "（无体重，以 eGFR 代）"
    # The band, not the number: a creatinine of one more is no new fact.
    yield Way({"renal": said}, renal.evidence, (f"renal<{wanted.below}",))
