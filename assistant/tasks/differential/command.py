"""``bedside ddx FILE``."""

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
from assistant.record.case import Case
from assistant.tasks.differential.task import Differential


def ddx(
    file: File,
    patient: Patient = "pat-cli",
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Differential diagnosis of a case (JSON as in the API, or free text)."""
    loaded = load(file)
    if isinstance(loaded, dict):
        # The shipped samples carry a name of their own beside the case.
        loaded = {k: v for k, v in loaded.items() if k not in ("id", "title_zh", "title_en")}
    try:
        case = Case.model_validate(
            loaded
            if isinstance(loaded, dict)
            else {"patient": {"id": patient}, "encounter_id": "enc-cli", "text": loaded}
        )
    except ValidationError as error:
        refuse(error)
    drafts = perform(Differential.kind, case)
    if as_json:
        print(json.dumps(drafts, ensure_ascii=False, indent=1))
        return
    for draft in drafts:
        console.rule(f"{draft['member']}  {model_of(draft)}  {draft['seconds']:.1f} s")
        for entry in [*draft["critical"], *draft["diagnoses"]]:
            mark = "[red]不可漏诊[/red] " if entry["must_not_miss"] else ""
            console.print(
                f"{mark}[bold]{entry['rank']}. {entry['name']}[/bold] {entry['icd10'] or ''}"
            )
            for key in ("supporting", "opposing", "ask", "tests", "red_flags"):
                print_statements(entry[key], prefix=f"   {key}: ")
        for entry in draft.get("rare", []):
            named = f"罕见病提示 {entry['name']} {'、'.join(entry['identifiers'])}"
            console.print(named, markup=False, style="bold")
            for key in ("supporting", "opposing", "unexplained"):
                print_statements(entry[key], prefix=f"   {key}: ")
        for warning in draft["warnings"]:
            console.print(f"[yellow]{warning}[/yellow]")
