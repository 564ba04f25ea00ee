"""Notes out of files: plain text, JSON, JSON lines."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from assistant.tasks.structuring.note import NoteText

SUFFIXES = (".txt", ".json", ".jsonl")
_MOMENT = TypeAdapter(datetime)
_MOST_UNREADABLE = 0.05
_SURROGATE = re.compile("[\ud800-\udfff]")


class InputError(Exception):
    """A file holds no notes that can be read; the message names file and line, never their text."""


def note_files(path: Path) -> list[Path]:
    """The file itself, or the files of a folder and of what is under it, in a stable order."""
    if path.is_dir():
        return sorted(f for f in path.rglob("*") if f.is_file() and f.suffix.lower() in SUFFIXES)
    return [path]


def read_notes(file: Path, name: str, admitted_on: date | None = None) -> Iterator[NoteText]:
    """The notes of one file, whose ids begin with ``name``.

    A ``.json`` file is a note, or an object with ``notes`` (an encounter as the API takes it); a
    ``.jsonl`` file has a note a line; anything else is one note.  A note is an object with
    ``text``, and ``id``, ``title`` and ``written_at`` where it has them.

    Raises:
        InputError: the file cannot be read, or is no such file; where single lines are wrong,
            after the notes of the others.
    """
    text = _decoded(file)
    suffix = file.suffix.lower()
    if suffix == ".jsonl":
        yield from _lines(text, file.name, name, admitted_on)
        return
    if suffix == ".json":
        value = _parsed(text, file.name, None)
        notes = value.get("notes")
        admitted = _moment(value.get("admitted_at"))
        day = admitted_on or (admitted.date() if admitted else None)
        if isinstance(notes, list):
            for number, item in enumerate(notes, 1):
                where = f"{file.name}, note {number}"
                if not isinstance(item, dict):
                    raise InputError(f"{where}: expected an object with text.")
                yield _note(_whose(value) | item, name, str(number), day, where)
            return
        yield _note(value, name, "", day, file.name)
        return
    yield NoteText(id=name, text=text, admitted_on=admitted_on)


def _whose(encounter: dict[str, Any]) -> dict[str, Any]:
    """What an encounter says for all of its notes: patient, encounter, group."""
    patient = encounter.get("patient")
    of_patient = patient.get("id") if isinstance(patient, dict) else None
    return {
        "patient_id": encounter.get("patient_id") or of_patient,
        "encounter_id": encounter.get("encounter_id") or encounter.get("id"),
        "access": encounter.get("access"),
    }


def _lines(text: str, file: str, name: str, day: date | None) -> Iterator[NoteText]:
    wrong: list[str] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        where = f"{file}, line {number}"
        try:
            note = _note(_parsed(line, file, number), name, str(number), day, where)
            if note.id in seen:
                raise InputError(f"{where}: the id is that of line {seen[note.id]}.")
        except InputError as error:
            wrong.append(str(error))
            continue
        seen[note.id] = number
        yield note
    if wrong:
        raise InputError("\n".join(wrong))


def _decoded(file: Path) -> str:
    """The text with its line ends as they are: UTF-16 where its mark says so, UTF-8, else GB
    18030, else what can be read."""
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror or error}.") from error
    marked = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ("utf-16",) if marked else ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    text = raw.decode("utf-8", errors="replace")
    if text.count("\ufffd") + text.count("\0") > len(text) * _MOST_UNREADABLE:
        raise InputError(f"{file} holds no text.")
    return text


def _parsed(text: str, name: str, line: int | None) -> dict[str, Any]:
    try:
        value = json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        at = line if line is not None else getattr(error, "lineno", 1)
        raise InputError(f"{name}, line {at}: not JSON.") from error
    if not isinstance(value, dict):
        raise InputError(f"{name}, line {line or 1}: expected an object with text.")
    return value


def _note(
    value: dict[str, Any], name: str, number: str, admitted_on: date | None, where: str
) -> NoteText:
    text = value.get("text")
    if not isinstance(text, str):
        raise InputError(f"{where}: expected text.")
    key = value.get("id", number)
    return NoteText(
        id=f"{name}#{key}" if key != "" else name,
        # A lone surrogate cannot be written out again; the length stays.
        text=_SURROGATE.sub("\ufffd", text),
        title=str(value.get("title") or ""),
        written_at=_moment(value.get("written_at")),
        admitted_on=admitted_on,
        patient_id=str(value.get("patient_id") or ""),
        encounter_id=str(value.get("encounter_id") or ""),
        access=str(value.get("access") or ""),
    )


def _moment(value: object) -> datetime | None:
    if not value:
        return None
    try:
        return _MOMENT.validate_python(value)
    except ValidationError:
        return None
