"""``bedside greet FILE``."""

from __future__ import annotations

from assistant.commands.progress import console
from assistant.commands.work import File, Patient, load, perform, print_statements
from toy_task.task import Letter


def greet(file: File, patient: Patient = "pat-cli") -> None:
    """Greet a patient."""
    for draft in perform("toy", Letter(patient_id=patient, text=str(load(file)).strip())):
        console.print(draft["part"])
        print_statements(draft["statements"])
