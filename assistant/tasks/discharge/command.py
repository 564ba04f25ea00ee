"""``bedside discharge FILE``."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from pydantic import ValidationError

from assistant.commands.progress import console
from assistant.commands.work import (
    File,
    Patient,
    load,
    model_of,
    perform,
    print_statements,
    refuse,
)
from assistant.record.encounter import Encounter
from assistant.tasks.discharge.task import Discharge, DischargeRequest


def discharge(
    file: File,
    patient: Patient = "pat-cli",
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Discharge record of an encounter (JSON as in the API, or free text)."""
    loaded = load(file)
    try:
        encounter = (
            Encounter.model_validate(loaded)
            if isinstance(loaded, dict)
            else Encounter.from_text(loaded, patient_id=patient, encounter_id="enc-cli")
        )
    except ValidationError as error:
        refuse(error)
    drafts = perform(Discharge.kind, DischargeRequest(encounter=encounter))
    if as_json:
        print(json.dumps(drafts, ensure_ascii=False, indent=1))
        return
    for draft in drafts:
        console.rule(f"{draft['title']}  {model_of(draft)}")
        print_statements(draft["statements"])
        for warning in draft["warnings"]:
            console.print(f"[yellow]{warning}[/yellow]")
