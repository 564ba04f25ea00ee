"""``bedside structure FILE|FOLDER``: notes as data, without a server."""

from __future__ import annotations

import re
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from assistant.tasks.structuring.form import Form

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def structure(
    path: Annotated[
        Path,
        typer.Argument(exists=True, help="Text, JSON or JSON lines; or a folder of such files."),
    ],
    out: Annotated[
        Path | None, typer.Option(help="File to write; for a folder: structured.<format> here.")
    ] = None,
    form: Annotated[
        Form | None,
        typer.Option(
            "--format",
            help="jsonl, csv, fhir (R4 Bundles), parquet; templates: csv, jsonl.",
        ),
    ] = None,
    template: Annotated[
        str, typer.Option(help="Features instead of entities: a template's name or its file.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One object on standard output.")] = False,
    patient: Annotated[
        str,
        typer.Option(
            help="Patient id, for FHIR; default: the file's name, as one file is one patient."
        ),
    ] = "",
    admitted: Annotated[
        str, typer.Option(help="Day of admission, which 3天前 counts from: 2024-03-05.")
    ] = "",
    restart: Annotated[bool, typer.Option("--restart", help="Write the file anew.")] = False,
) -> None:
    """Entities, relations and codes of clinical notes; or a table of features of reports.

    A folder is worked through note by note; after a stop the same command goes on where it was.
    """
    from assistant.tasks.structuring.parquet import require_parquet
    from assistant.tasks.structuring.template import load_template

    chosen = load_template(template) if template else None
    form = form or (Form.CSV if chosen and not as_json else Form.JSONL)
    if chosen and form in (Form.FHIR, Form.PARQUET):
        raise typer.BadParameter("a table of features has --format csv or jsonl")
    if form is Form.PARQUET:
        require_parquet()
    day = _day(admitted)
    if path.is_dir() or out is not None or form is Form.PARQUET:
        if as_json:
            raise typer.BadParameter("--json prints one file; else use --format jsonl")
        target = out or Path(f"structured.{'ndjson' if form is Form.FHIR else form.value}")
        from assistant.tasks.structuring.command_file import write_file

        write_file(path, target, form, chosen, patient, day, restart)
        return
    from assistant.tasks.structuring.command_print import print_notes

    print_notes(path, form, chosen, patient, day, as_json=as_json)


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        if not _DATE.fullmatch(text):
            raise ValueError
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise typer.BadParameter("--admitted is a day like 2024-03-05") from None
