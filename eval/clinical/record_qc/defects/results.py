"""Defects of values: results in notes, critical ones, units, diagnoses that do not fit."""

from __future__ import annotations

import re
from datetime import timedelta

from assistant.tasks.record_qc.record import CheckedEncounter
from eval.clinical.record_qc.edit import (
    Defect,
    Dice,
    inserted,
    noted,
    rows,
    with_sentence,
    wordings,
)

_OFTEN = "血糖|体温|氧分压|二氧化碳|体重"


def _told_wrong(encounter: CheckedEncounter, dice: Dice) -> CheckedEncounter | None:
    """A result is in a note of its day with another number."""
    found = []
    for row in encounter.observations:
        if not row.at or not re.fullmatch(r"\d+(?:\.\d+)?", row.value) or not row.unit:
            continue
        if re.search(_OFTEN, row.name) or re.search("抗体|[（(]", row.name):
            continue
        for note in encounter.notes:
            same = note.written_at and note.written_at.date() == row.at.date()
            if note.kind in ("progress", "discharge_day") and same:
                found.append((row, note))
    if not found:
        return None
    row, note = dice.choice(found)
    value = float(row.value) * dice.choice([0.4, 0.55, 1.6, 2.3])
    written = f"{value:.1f}" if value < 100 else f"{value:.0f}"
    known = {o.value for o in encounter.observations if o.name == row.name}
    if written in known or written.rstrip("0").rstrip(".") in known:
        return None
    unit = f"×{row.unit}" if row.unit.startswith("10") else row.unit
    told_as = re.compile(rf"{re.escape(row.name)}{re.escape(row.value)}(?![\d.])")
    if told_as.search(note.text):
        text = told_as.sub(f"{row.name}{written}", note.text)
    else:
        words = dice.choice(wordings()["value_words"])
        for key, value_ in {"name": row.name, "value": written, "unit": unit}.items():
            words = words.replace(f"<{key}>", value_)
        text = inserted(note.text, words, dice)
    return noted(encounter, note.id, text=text)


def _said(name: str) -> Defect:
    def make(encounter: CheckedEncounter, dice: Dice) -> CheckedEncounter | None:
        return with_sentence(
            encounter, dice.choice(wordings()[name]), dice, "progress", "discharge_day", "admission"
        )

    return make


def _untold(name: str) -> Defect:
    """A result that no note tells of."""

    def make(encounter: CheckedEncounter, dice: Dice) -> CheckedEncounter | None:
        test, value, unit, reference, flag = dice.choice(wordings()[name])
        core = test.removeprefix("血").removeprefix("空腹").removesuffix("计数")
        if any(core in n.text or test in n.text for n in encounter.notes):
            return None
        if any(core in o.name for o in encounter.observations) or encounter.admitted_at is None:
            return None
        if re.search(
            "补钾|低钾|肝功|肾功|转氨酶|贫血|酸中毒", "".join(n.text for n in encounter.notes)
        ):
            return None
        at = encounter.admitted_at + timedelta(days=dice.choice([1, 2]), hours=2)
        row = {"id": "seeded", "name": test, "value": value, "unit": unit, "reference": reference,
               "flag": flag, "at": at}  # fmt: skip
        return rows(encounter, "observations", row)

    return make


def _unfit(encounter: CheckedEncounter, dice: Dice) -> CheckedEncounter | None:
    name, code, test, value, unit, reference = dice.choice(wordings()["unfit"])
    core = test.removeprefix("血").removesuffix("计数")
    everything = "".join(n.text for n in encounter.notes)
    if core in everything or any(core in o.name for o in encounter.observations):
        return None
    if encounter.admitted_at is None:
        return None
    at = encounter.admitted_at + timedelta(hours=14)
    row = {"id": "seeded", "name": test, "value": value, "unit": unit, "reference": reference,
           "flag": "normal", "at": at}  # fmt: skip
    changed = rows(encounter, "observations", row)
    return rows(changed, "diagnoses", {"kind": "discharge", "name": name, "icd10": code})


DEFECTS: dict[str, list[Defect]] = {
    "value_conflict": [_told_wrong],
    "impossible_value": [_said("impossible_value")],
    "unit_error": [_said("unit_error")],
    "critical_unaddressed": [_untold("critical")],
    "unexplained_abnormal": [_untold("abnormal")],
    "diagnosis_result": [_unfit],
}
