"""``bedside patient-version FILE``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from assistant.commands.progress import console
from assistant.commands.work import (
    File,
    Patient,
    drafts_of,
    encounter_of,
    load,
    print_statements,
    refuse,
)
from assistant.record.encounter import Encounter
from assistant.tasks.patient_version.task import PatientVersionRequest, PatientVersions
from assistant.whole_file import whole

_GRADE = {"easy": "易读", "fair": "较易", "hard": "较难"}


def patient_version(
    file: File,
    record: Annotated[
        Path | None, typer.Option(help="The discharge record as it was signed: plain text.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write the page to print here.")] = None,
    patient: Patient = "pat-cli",
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """The advice of a discharge record in plain language, as a page to print."""
    loaded = load(file)
    signed = load(record) if record is not None else ""
    if not isinstance(signed, str):
        raise typer.BadParameter("--record 须是纯文本。(--record must be plain text.)")
    encounter = encounter_of(loaded, patient, Encounter)
    try:
        body = PatientVersionRequest(encounter=encounter, record=signed)
    except ValidationError as error:
        refuse(error)
    for draft in drafts_of(PatientVersions.kind, body):
        if html is not None:
            with whole(html) as path:
                path.write_text(draft["html"], encoding="utf-8")
            console.print(f"已写入 {html}，可在浏览器中打印。", markup=False)
        if as_json:
            print(json.dumps(draft, ensure_ascii=False, indent=1))
        else:
            _show(draft)


def _show(draft: dict[str, Any]) -> None:
    for part in draft["parts"]:
        console.rule(part["title"])
        print_statements(part["statements"])
    before, after = draft["before"], draft["level"]
    console.print(
        f"句长平均 {before['mean']:g} → {after['mean']:g} 字，最长 {before['longest']} → "
        f"{after['longest']} 字；未解释的医学词 {len(before['unexplained'])} → "
        f"{len(after['unexplained'])} 个；{_GRADE[before['grade']]} → {_GRADE[after['grade']]}",
        highlight=False,
    )
    for warning in draft["warnings"]:
        console.print(f"⚠ {warning}", markup=False, style="yellow")
    console.print(draft["disclaimer"], style="dim")
