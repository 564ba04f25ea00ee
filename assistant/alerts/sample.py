"""The record that a test case of a rule stands for."""

from __future__ import annotations

from datetime import date, datetime

from assistant.alerts.rule import Sample
from assistant.record.diagnosis import Diagnosis
from assistant.record.encounter import Encounter
from assistant.record.medication import Medication
from assistant.record.note import Note
from assistant.record.observation import Observation
from assistant.record.patient import Patient

_ADMITTED = datetime(2026, 3, 1, 9)
_LEFT = datetime(2026, 3, 8, 10)


def _medication(number: int, written: str, home: bool) -> Medication:
    """``二甲双胍片 0.5g 每日3次 口服 @4``: stopped on the fourth; a name alone will do."""
    written, _, stop = written.partition(" @")
    name, dose, frequency, route = (*written.split(" "), "", "", "", "")[:4]
    return Medication(
        id=f"m{number}",
        name=name,
        dose=dose,
        frequency=frequency,
        route=route,
        start=None if home else _ADMITTED.date(),
        stop=date(2026, 3, int(stop)) if stop else None,
        discharge=home,
    )


def _result(number: int, written: str, pending: bool) -> Observation:
    """``血钾 6.4 mmol/L``; of what is pending the name."""
    name, value, unit = (*written.split(" "), "", "")[:3]
    at = datetime(2026, 3, 2, 8, number)
    status = "pending" if pending else "final"
    return Observation.model_validate(
        {"id": f"o{number}", "name": name, "value": value, "unit": unit, "at": at, "status": status}
    )


def encounter_of(sample: Sample) -> Encounter:
    """The encounter; with a discharge note, or what is taken home, the stay has ended."""
    rows = [(d, False) for d in sample.drugs] + [(d, True) for d in sample.home]
    tests = [(r, False) for r in sample.results] + [(r, True) for r in sample.pending]
    notes = [Note(id="n1", kind="first_progress", written_at=_ADMITTED, text=sample.note)]
    if sample.discharge:
        notes.append(Note(id="n2", kind="discharge_day", written_at=_LEFT, text=sample.discharge))
    leaves = bool(sample.discharge or sample.home)
    return Encounter(
        id="enc-sample",
        patient=Patient(id="pat-sample", sex=sample.sex, age_years=sample.age),
        admitted_at=_ADMITTED,
        discharged_at=_LEFT if leaves else None,
        diagnoses=[Diagnosis(name=name) for name in sample.diagnoses],
        notes=[note for note in notes if note.text],
        observations=[_result(n, written, pending) for n, (written, pending) in enumerate(tests)],
        medications=[_medication(n, written, home) for n, (written, home) in enumerate(rows)],
    )
