"""``bedside omissions FILE --draft FILE``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from assistant.commands.progress import console
from assistant.commands.work import File, Patient, drafts_of, encounter_of, load, refuse
from assistant.record.encounter import Encounter
from assistant.tasks.omissions.task import OmissionRequest, Omissions


def omissions(
    file: File,
    draft: Annotated[Path, typer.Option(help="The text to check: plain text.")],
    patient: Patient = "pat-cli",
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """What of a stay a text leaves out: each with its place and a sentence to insert."""
    loaded, text = load(file), load(draft)
    if isinstance(text, dict):
        raise typer.BadParameter("--draft 须是纯文本。(--draft must be plain text.)")
    encounter = encounter_of(loaded, patient, Encounter)
    try:
        body = OmissionRequest(encounter=encounter, draft=text)
    except ValidationError as error:
        refuse(error)
    for report in drafts_of(Omissions.kind, body):
        if as_json:
            print(json.dumps(report, ensure_ascii=False, indent=1))
        else:
            _show(report)


def _show(report: dict[str, Any]) -> None:
    missing = [o for o in report["omissions"] if o["importance"] == "must"]
    console.rule(
        f"遗漏核对：必须写的缺 {len(missing)} 项，"
        f"可补充 {len(report['omissions']) - len(missing)} 项，已写 {len(report['covered'])} 项"
    )
    for one in report["omissions"]:
        must = one["importance"] == "must"
        console.print(
            f"[{'必须写' if must else '可补充'}] {one['title']}：{one['suggestion']}",
            style="red" if must else "dim",
            markup=False,
            highlight=False,
        )
        for place in one["evidence"][:1]:
            console.print(f"    {place['note_id']}：{place['quote'][:60]}", markup=False)
    if not report["omissions"]:
        console.print("没有发现遗漏。(Nothing is left out.)")
