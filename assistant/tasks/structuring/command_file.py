"""The file that ``bedside structure`` writes of many notes.

This process reads and writes; what structures is imported by those that do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import partial
from itertools import chain, islice
from pathlib import Path

import typer

from assistant.commands.progress import console, progress
from assistant.tasks.structuring.form import Form
from assistant.tasks.structuring.input import InputError, note_files, read_notes
from assistant.tasks.structuring.journal import Journal
from assistant.tasks.structuring.note import NoteText
from assistant.tasks.structuring.parquet import to_parquet
from assistant.tasks.structuring.part import Part
from assistant.tasks.structuring.template import Template
from assistant.tasks.structuring.workers import Opened, processes_for, team
from serving.hardware import topology

_NOTES_A_PROCESS = 24
"""A process opens in the time of about so many notes."""


def write_file(
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
    # A Parquet file cannot be added to: its rows are gathered beside it until all are there.
    parquet = form is Form.PARQUET
    rows = target.with_name(f"{target.name}.rows.csv") if parquet else target
    if parquet and target.exists() and not restart:
        raise typer.BadParameter(f"{target} is there already: another --out, or --restart")
    unread: list[str] = []
    notes = _notes(path, files, day, unread)
    begin = list(islice(notes, _NOTES_A_PROCESS * (len(topology.usable()) - 1) + 1))
    processes = processes_for(len(begin), _NOTES_A_PROCESS)
    threads = 0 if processes < 2 else max(1, len(topology.usable()) // processes)
    opening = partial(_open, form, template, patient, threads)
    with (
        progress() as report,
        team(opening, processes) as workers,
        Journal(rows, workers.made_of, restart=restart) as journal,
    ):
        before = len(journal.done)
        new = _new(chain(begin, notes), journal)
        for part, made in workers.results(new):
            report(part.number, len(files), "structuring")
            journal.add(part.note.id, part.note.text, made)
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


def _notes(
    path: Path, files: Sequence[Path], day: date | None, unread: list[str]
) -> Iterator[tuple[int, NoteText]]:
    """Every note with the number of its file; what cannot be read is added to ``unread``."""
    for number, file in enumerate(files):
        name = file.relative_to(path).as_posix() if path.is_dir() else file.name
        try:
            for note in read_notes(file, name, day):
                yield number, note
        except InputError as error:
            unread.append(str(error))


def _new(notes: Iterable[tuple[int, NoteText]], journal: Journal) -> Iterator[Part]:
    """The notes that are not in the file, nor on their way to it."""
    first = journal.is_empty
    for number, note in notes:
        if journal.claim(note.id, note.text):
            yield Part(note, first, number)
            first = False


def _open(form: Form, template: Template | None, patient: str, threads: int) -> Opened:
    from assistant.tasks.structuring.command_render import open_writer

    return open_writer(form, template, patient, threads)
