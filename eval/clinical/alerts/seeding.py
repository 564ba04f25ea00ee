"""Seeds the test cases of rules into true encounters.

A case's drugs, results, diagnoses and sentences are put into a stay that has nothing to do with
them; drugs are often replaced by another of the same classes, and sentences go into the note where
a ward writes them.  So the rule has to find its facts among those of a whole record, in which other
drugs, values and denials stand.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache

from assistant.alerts.facts import Facts
from assistant.alerts.matching import holds
from assistant.alerts.rule import Rule, Sample
from assistant.alerts.sample import encounter_of
from assistant.alerts.tables import classes_of
from assistant.alerts.way import Way
from assistant.record.encounter import Encounter
from assistant.record.medication import Medication
from assistant.record.note import Note
from assistant.record.observation import Observation
from knowledge.text.drugs import shipped_drugs

_TRIES = 80
_REPLACED = 0.5
_MODEL_START = date(2026, 3, 1)


@dataclass(frozen=True, slots=True)
class Trial:
    """A record into which a case of a rule was put; ``speaks``: whether the rule should."""

    id: str
    rule: str
    speaks: bool
    base: Encounter
    encounter: Encounter


def trials(
    rules: Mapping[str, Rule], bases: Sequence[Encounter], each: int, seed: int
) -> Iterator[Trial]:
    """``each`` trials of every case of every rule, on encounters drawn anew."""
    for rule in rules.values():
        cases = [(s, True) for s in rule.cases.fires] + [(s, False) for s in rule.cases.quiet]
        for place, (sample, speaks) in enumerate(cases):
            for number in range(each):
                name = f"{rule.id}/{place}/{number}"
                dice = random.Random(f"{seed}/{name}")  # noqa: S311
                base = _fitting(rule, sample, bases, dice)
                if base is not None:
                    leaves = bool(sample.home or sample.discharge)
                    nobody = Sample(age=sample.age, sex=sample.sex)
                    plain = seed_into(base, nobody, dice, leaves=leaves)
                    seeded = seed_into(base, sample, dice, leaves=leaves)
                    yield Trial(f"{base.id}/{name}", rule.id, speaks, plain, seeded)


def _fitting(
    rule: Rule, sample: Sample, bases: Sequence[Encounter], dice: random.Random
) -> Encounter | None:
    """A stay of such a patient that has no drug of the case's classes, nor what keeps the rule
    quiet."""
    wanted = {g for name in (*sample.drugs, *sample.home) for g in classes_of(name.split(" ")[0])}
    wanted |= {g for c in rule.when for one in (c.drug, c.beside) if one for g in one.of}
    adult = sample.age is None or sample.age >= 18
    for _ in range(_TRIES):
        base = dice.choice(bases)
        age = Facts(base).age
        if base.patient.sex != (sample.sex or "male") or (age is None or age >= 18) != adult:
            continue
        if any(classes_of(row.name) & wanted for row in base.medications):
            continue
        facts = Facts(base)
        if not any(True for c in rule.unless for _ in holds(c, facts, Way())):
            return base
    return None


def seed_into(base: Encounter, sample: Sample, dice: random.Random, *, leaves: bool) -> Encounter:
    """The stay with the facts of the case; without a discharge it is not over yet."""
    told = encounter_of(sample)
    admitted = base.admitted_at or told.admitted_at or datetime(2026, 3, 1, 9)
    notes = [n for n in base.notes if leaves or n.kind != "discharge_day"]
    last = max((n.written_at for n in notes if n.written_at), default=admitted)
    if sample.age is not None:
        fields = {"age_years": sample.age, "birth_date": None, "age_text": f"{sample.age:g}岁"}
        patient = base.patient.model_copy(update=fields)
    else:
        patient = base.patient.model_copy(
            update={"age_years": None, "birth_date": None, "age_text": ""}
        )
    kept = [m for m in base.medications if leaves or not m.discharge]
    return base.model_copy(
        update={
            "patient": patient,
            "discharged_at": base.discharged_at if leaves else None,
            "diagnoses": [*base.diagnoses, *told.diagnoses],
            "notes": _with(notes, sample),
            "observations": [*base.observations, *_results(told, last)],
            "medications": [*kept, *_drugs(told, admitted, dice)],
        }
    )


def _with(notes: Sequence[Note], sample: Sample) -> list[Note]:
    found = []
    for note in notes:
        text = note.text
        if note.kind == "first_progress" and sample.note:
            text = f"{sample.note}\n{text}"
        if note.kind == "discharge_day" and sample.discharge:
            text += sample.discharge
        found.append(note.model_copy(update={"text": text}))
    if sample.note and all(note.kind != "first_progress" for note in notes):
        found.append(Note(id="seeded", kind="first_progress", title="补充病史", text=sample.note))
    return found


def _results(told: Encounter, last: datetime) -> list[Observation]:
    """The results of the case, after all others."""
    return [
        row.model_copy(update={"id": f"seeded-{row.id}", "at": last + timedelta(hours=1 + n)})
        for n, row in enumerate(told.observations)
    ]


def _drugs(told: Encounter, admitted: datetime, dice: random.Random) -> list[Medication]:
    alike: dict[str, str] = {}
    rows = []
    for row in told.medications:
        name = alike.setdefault(row.name, _another(row, dice))
        start = row.start and admitted.date() + (row.start - _MODEL_START)
        stop = row.stop and admitted.date() + (row.stop - _MODEL_START)
        changes = {"id": f"seeded-{row.id}", "name": name, "start": start, "stop": stop}
        rows.append(row.model_copy(update=changes))
    return rows


def _another(row: Medication, dice: random.Random) -> str:
    """Another drug of all the classes of this one, where its dose does not matter."""
    classes = classes_of(row.name)
    if row.dose or not classes or dice.random() > _REPLACED:
        return row.name
    others = [name for name, theirs in _known() if theirs >= classes]
    return dice.choice(others) if others else row.name


@cache
def _known() -> tuple[tuple[str, frozenset[str]], ...]:
    """The shipped names of drugs that are of any class."""
    names = sorted(shipped_drugs())
    found = ((name, classes_of(name)) for name in names if len(name) > 2)
    return tuple((name, classes) for name, classes in found if classes)
