"""``bedside discharge FILE``."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from assistant.commands.progress import console
from assistant.commands.work import (
    File,
    Patient,
    drafts_of,
    encounter_of,
    load,
    model_of,
    print_statements,
)
from assistant.record.encounter import Encounter
from assistant.tasks.discharge.task import Discharge, DischargeRequest


def discharge(
    file: File,
    patient: Patient = "pat-cli",
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Discharge record of an encounter (JSON as in the API, or free text)."""
    encounter = encounter_of(load(file), patient, Encounter)
    drafts = drafts_of(Discharge.kind, DischargeRequest(encounter=encounter))
    if as_json:
        print(json.dumps(drafts, ensure_ascii=False, indent=1))
        return
    for draft in drafts:
        console.rule(f"{draft['title']}  {model_of(draft)}")
        print_statements(draft["statements"])
        for warning in draft["warnings"]:
            console.print(f"[yellow]{warning}[/yellow]")
