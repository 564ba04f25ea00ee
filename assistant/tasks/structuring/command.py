"""``bedside structure FILE|FOLDER``: notes as data, without a server."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterator
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from assistant.application import open_knowledge
from assistant.commands.progress import console, progress
from assistant.settings import Settings
from assistant.tasks.structuring.entity import StructuredNote
from assistant.tasks.structuring.export import (
    as_object,
    entities_csv,
    json_line,
    quantity,
    table_csv,
)
from assistant.tasks.structuring.features import FeatureTable, extract_features, new_table
from assistant.tasks.structuring.fhir import bundle
from assistant.tasks.structuring.input import InputError, note_files, read_notes
from assistant.tasks.structuring.journal import Journal
from assistant.tasks.structuring.opening import open_recognizer, open_structurer
from assistant.tasks.structuring.parquet import require_parquet, to_parquet
from assistant.tasks.structuring.pipeline import NoteText, Structurer
from assistant.tasks.structuring.template import Template, load_template

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class Form(StrEnum):
    """How results are written."""

    JSONL = "jsonl"
    CSV = "csv"
    FHIR = "fhir"
    PARQUET = "parquet"


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
        _write(path, target, form, chosen, patient, day, restart)
        return
    notes = list(read_notes(path, path.name, day))
    if chosen is not None:
        table = _table(chosen, notes)
        print(_json(table.model_dump(mode="json")) if as_json else _table_text(table, form), end="")
        return
    structurer = _structurer()
    structured = [structurer.structure(note) for note in notes]
    if as_json or (form is Form.JSONL and not sys.stdout.isatty()):
        one = structured[0] if len(structured) == 1 else None
        whole = {"notes": [as_object(note) for note in structured]}
        print(_json(as_object(one) if one is not None else whole), end="")
    elif form is Form.CSV:
        print(entities_csv(structured), end="")
    elif form is Form.FHIR:
        print(_json(bundle(_patient(patient, path.name), structured)), end="")
    else:
        _show(structured)


def _structurer() -> Structurer:
    settings = Settings()
    base, _ = open_knowledge(settings)
    return open_structurer(base, settings.home, open_recognizer(settings.home))


def _patient(given: str, note_id: str) -> str:
    """The id that is given, else one of the file that the note is in."""
    file = note_id.partition("#")[0]
    return given or f"pat-{re.sub('[^A-Za-z0-9.-]+', '-', file).strip('-')[:48]}-{_short(file)}"


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        if not _DATE.fullmatch(text):
            raise ValueError
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise typer.BadParameter("--admitted is a day like 2024-03-05") from None


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def _table(template: Template, notes: list[NoteText]) -> FeatureTable:
    table = new_table(template)
    for note in notes:
        table.rows += extract_features(note.text, note.id, template)
    return table


def _table_text(table: FeatureTable, form: Form, *, header: bool = True) -> str:
    if form is Form.CSV:
        return table_csv(table, header=header)
    return "".join(json_line(row.model_dump(mode="json")) for row in table.rows)


def _write(
    path: Path,
    target: Path,
    form: Form,
    template: Template | None,
    patient: str,
    day: date | None,
    restart: bool,
) -> None:
    """Every note of ``path`` into ``target``, those that are there already left as they are."""
    files = [f for f in note_files(path) if f.resolve() != target.resolve()]
    if not files:
        raise typer.BadParameter(f"there are no .txt, .json or .jsonl files in {path}")
    written = _writer(form, template, patient)
    made_of, render = written
    # A Parquet file cannot be added to: its rows are gathered beside it until all are there.
    parquet = form is Form.PARQUET
    rows = target.with_name(f"{target.name}.rows.csv") if parquet else target
    if parquet and target.exists() and not restart:
        raise typer.BadParameter(f"{target} is there already: another --out, or --restart")
    unread: list[str] = []
    with progress() as report, Journal(rows, made_of, restart=restart) as journal:
        before = len(journal.done)
        for number, file in enumerate(files):
            report(number, len(files), "structuring")
            try:
                for note in _notes(path, file, day):
                    if not journal.has(note.id, note.text):
                        journal.add(note.id, note.text, render(note, journal.is_empty))
            except InputError as error:
                unread.append(str(error))
        report(len(files), len(files), "structuring")
        if parquet:
            to_parquet(rows, target)
            journal.remove()
        for problem in unread:
            console.print(
                f"未处理 left out: {problem}", style="yellow", markup=False, soft_wrap=True
            )
        console.print(
            f"{len(journal.done) - before} 份新处理 new, {before} 份已有 kept: {target}",
            soft_wrap=True,
        )
    if unread:
        raise typer.Exit(1)


def _notes(path: Path, file: Path, day: date | None) -> Iterator[NoteText]:
    name = file.relative_to(path).as_posix() if path.is_dir() else file.name
    yield from read_notes(file, name, day)


Render = Callable[[NoteText, bool], str]
"""(note, whether it is the first of the file) → what is written for it."""


def _writer(form: Form, template: Template | None, patient: str) -> tuple[str, Render]:
    """What the output is made of, and how a note is written."""
    if template is not None:
        made_of = f"{form} {template.model_dump_json()}"
        return made_of, lambda note, first: _table_text(
            _table(template, [note]), form, header=first
        )
    structurer = _structurer()

    def render(note: NoteText, first: bool) -> str:
        structured = structurer.structure(note)
        if form in (Form.CSV, Form.PARQUET):
            return entities_csv([structured], header=first, formulas=form is Form.PARQUET)
        value = (
            bundle(_patient(patient, note.id), [structured])
            if form is Form.FHIR
            else as_object(structured)
        )
        return json_line(value)

    return f"{form} {structurer.model} {structurer.knowledge_version} {patient}", render


def _show(notes: list[StructuredNote]) -> None:
    """For a person at a terminal."""
    for note in notes:
        table = Table("类型", "原文", "位置", "", "时间", "结果", "编码", title=note.note_id)
        for entity in note.entities:
            said = [
                {"absent": "否定"}.get(entity.polarity, ""),
                {"uncertain": "可疑"}.get(entity.certainty, ""),
                {"past": "既往", "hypothetical": "假设"}.get(entity.temporality, ""),
                {"family": "他人"}.get(entity.subject, ""),
                "过敏原" if entity.allergen else "",
            ]
            table.add_row(
                entity.type_zh,
                entity.text,
                f"{entity.start}-{entity.end}",
                "".join(said),
                entity.time.text if entity.time else "",
                quantity(entity),
                "、".join(code.code or code.name for code in entity.codes),
            )
        console.print(table)
        for relation in note.relations:
            if relation.kind == "triple":
                console.print(
                    f"{relation.subject.text} —{relation.predicate}→ {relation.object.text}",
                    markup=False,
                )
