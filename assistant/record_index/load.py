"""Loading notes into the index: read, structured by as many processes as pay, kept in batches.

What is in the index already, from the same text and the same models, is not made again: a load that
was stopped goes on where it was.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path

from assistant.record_index.cluster import cluster
from assistant.record_index.entries import entries_of
from assistant.record_index.index import NoteToIndex, add_notes, digest_of, known
from assistant.record_index.writer import open_writer
from assistant.store import Context, InvalidArgument, Store
from assistant.tasks.structuring.command_render import patient_id
from assistant.tasks.structuring.entity import StructuredNote
from assistant.tasks.structuring.input import InputError, note_files, read_notes
from assistant.tasks.structuring.note import NoteText
from assistant.tasks.structuring.part import Part
from assistant.tasks.structuring.workers import Team, processes_for, team
from serving.hardware import topology

KEPT_AT_ONCE = 20
"""Notes of one transaction: what a kill may cost."""

_LOOKED_UP = 200
_NOTES_A_PROCESS = 24


@dataclass(slots=True)
class Loaded:
    """What a load came to; ``unread`` says what could not be read."""

    new: int = 0
    kept: int = 0
    unread: list[str] = field(default_factory=list)


def load(
    store: Store,
    path: Path,
    actor: Context,
    *,
    access: str = "",
    ray: str = "",
    report: Callable[[int, int], None] = lambda done, total: None,
) -> Loaded:
    """Structure the notes of a file or folder and put them into the index.

    ``report`` is told (files done, files).  A note without a patient is of the patient that its
    file stands for.  ``ray``: the address of a Ray cluster that structures; else this machine does.

    Raises:
        InvalidArgument: ``access`` cannot be one.
        ClusterRefused: see `assistant.record_index.cluster.cluster`.
    """
    done = Loaded()
    files = note_files(path)
    notes = _notes(path, files, done.unread)
    begin = list(islice(notes, _NOTES_A_PROCESS * len(topology.usable())))
    with _workers(len(begin), ray) as workers:
        made_of = workers.made_of
        new = _new(store, _chained(begin, notes), access, made_of, done)
        batch: list[NoteToIndex] = []
        for part, made in workers.results(new):
            batch.append(_to_index(part.note, made, access, made_of))
            if len(batch) == KEPT_AT_ONCE:
                _keep(store, batch, actor, done)
                batch = []
            report(part.number, len(files))
        _keep(store, batch, actor, done)
    report(len(files), len(files))
    if done.new:
        store.database.analyse()
    return done


@contextmanager
def _workers(notes: int, ray: str) -> Iterator[Team]:
    """Those that structure ``notes`` notes, or more."""
    if ray:
        with cluster(ray, open_writer(1).made_of) as there:
            yield there
        return
    processes = processes_for(notes, _NOTES_A_PROCESS)
    threads = 0 if processes < 2 else max(1, len(topology.usable()) // processes)
    with team(partial(open_writer, threads), processes) as here:
        yield here


def _keep(store: Store, batch: Sequence[NoteToIndex], actor: Context, done: Loaded) -> None:
    if batch:
        add_notes(store, batch, actor)
        done.new += len(batch)


def _chained(
    begin: Iterable[tuple[int, NoteText]], rest: Iterable[tuple[int, NoteText]]
) -> Iterator[tuple[int, NoteText]]:
    yield from begin
    yield from rest


def _notes(path: Path, files: Sequence[Path], unread: list[str]) -> Iterator[tuple[int, NoteText]]:
    for number, file in enumerate(files):
        name = file.relative_to(path).as_posix() if path.is_dir() else file.name
        try:
            for note in read_notes(file, name):
                yield number, note
        except InputError as error:
            unread.append(str(error))


def _new(
    store: Store,
    notes: Iterator[tuple[int, NoteText]],
    access: str,
    made_of: str,
    done: Loaded,
) -> Iterator[Part]:
    """The notes that the index does not have as they are."""
    seen: set[tuple[str, str]] = set()
    while some := list(islice(notes, _LOOKED_UP)):
        there = known(store, (_patient(note) for _, note in some))
        for number, note in some:
            key = (_patient(note), note.id)
            if key in seen:
                continue
            seen.add(key)
            if there.get(key) == _digest(note, access, made_of):
                done.kept += 1
                continue
            try:
                _check(note, access)
            except InvalidArgument as error:
                done.unread.append(f"{note.id}: {error}")
                continue
            yield Part(note, number=number)


def _check(note: NoteText, access: str) -> None:
    """Raises `InvalidArgument` for ids that the store would not take."""
    Context("loader", "system", _patient(note), note.encounter_id)
    Context("loader", "system", note.access or access)


def _patient(note: NoteText) -> str:
    return note.patient_id or patient_id("", note.id)


def _day(note: NoteText) -> str:
    return note.written_at.date().isoformat() if note.written_at else ""


def _digest(note: NoteText, access: str, made_of: str) -> str:
    group = note.access or access
    return digest_of(note.text, note.title, _day(note), group, note.encounter_id, made_of)


def _to_index(note: NoteText, made: str, access: str, made_of: str) -> NoteToIndex:
    structured = StructuredNote.model_validate(json.loads(made))
    return NoteToIndex(
        _patient(note),
        note.id,
        note.text,
        entries_of(structured, note.text),
        note.encounter_id,
        note.access or access,
        note.title,
        _day(note),
        made_of,
    )
