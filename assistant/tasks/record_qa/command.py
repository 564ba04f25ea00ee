"""``bedside ask FILE QUESTION…``."""

from __future__ import annotations

import json
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
from assistant.tasks.record_qa.draft import Focus
from assistant.tasks.record_qa.request import RecordQuestion
from assistant.tasks.record_qa.task import RecordQa


def ask(
    file: File,
    question: Annotated[
        list[str], typer.Argument(help="One question, or several that go on from one another.")
    ],
    patient: Patient = "pat-cli",
    as_json: Annotated[bool, typer.Option("--json")] = False,
    model: Annotated[bool, typer.Option(help="Let a model answer what no route takes.")] = True,
) -> None:
    """Ask the record of an encounter (JSON as in the API): answers with their places."""
    encounter = encounter_of(load(file), patient, Encounter)
    focus: Focus | None = None
    for text in question:
        try:
            body = RecordQuestion(question=text, encounter=encounter, focus=focus, use_model=model)
        except ValidationError as error:
            refuse(error)
        for answer in drafts_of(RecordQa.kind, body):
            found = Focus.model_validate(answer["focus"])
            focus = found if found.kind else focus
            if as_json:
                print(json.dumps(answer, ensure_ascii=False, indent=1))
            else:
                _show(answer)


def _show(answer: dict[str, Any]) -> None:
    console.rule(f"{answer['question'][:60]} · {answer['understood']}")
    if answer["message"]:
        console.print(answer["message"], markup=False, highlight=False)
    print_statements(answer["statements"])
    for table in answer["tables"]:
        console.print(f"[{table['title']}] " + " | ".join(table["columns"]), markup=False)
        for row in table["rows"]:
            console.print("    " + " | ".join(row["cells"]), markup=False, highlight=False)
    if answer["plot"]:
        console.print(answer["plot"]["alt"], markup=False, highlight=False, style="dim")
    for place in answer["nearest"]:
        console.print(f"    {place['note_id']}：{place['quote'][:80]}", markup=False, style="dim")
    for warning in answer["warnings"]:
        console.print(f"⚠ {warning}", markup=False, highlight=False, style="yellow")
