"""Sentences in which every name, number and place is marked, and clinical words that look alike."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from eval.errors import InputError

KINDS = {
    "N": "姓名 names",
    "I": "证件 ids",
    "P": "电话 phones",
    "A": "地址 addresses",
    "D": "日期 dates",
    "W": "病区床号 wards, beds",
    "R": "病历号 record numbers",
    "H": "医院 hospitals",
    "X": "账号 accounts",
}
_MARK = re.compile(r"<(=|[A-Z]) ([^>]+)>")


@dataclass(frozen=True, slots=True)
class Mark:
    """``[start, end)`` of the sentence; ``kind`` is a key of `KINDS`, or ``=``: must stay."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """``part``: tuned or held (see the head of the file)."""

    id: str
    part: str
    category: str
    text: str
    marks: tuple[Mark, ...]


def read_sentences(path: Path) -> list[Sentence]:
    """The sentences of a table (part, category, marked sentence).

    Raises:
        InputError: the file cannot be read, or a line is not of three columns.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(path, 0, f"cannot be read as UTF-8: {type(error).__name__}.") from error
    found = []
    for number, line in enumerate(lines, 1):
        if not line or line.startswith("#"):
            continue
        cells = line.split("\t")
        if len(cells) != 3:
            raise InputError(path, number, "part, category and sentence are needed, tabs between.")
        text, marks = _unmarked(cells[2])
        if unknown := {mark.kind for mark in marks} - {*KINDS, "="}:
            raise InputError(path, number, f"there is no mark {sorted(unknown)[0]!r}.")
        found.append(Sentence(f"{path.stem}:{number}", cells[0], cells[1], text, marks))
    if not found:
        raise InputError(path, 0, "there is no sentence in the file.")
    return found


def _unmarked(marked: str) -> tuple[str, tuple[Mark, ...]]:
    text, marks, end = "", [], 0
    for match in _MARK.finditer(marked):
        text += marked[end : match.start()]
        marks.append(Mark(len(text), len(text) + len(match[2]), match[1]))
        text += match[2]
        end = match.end()
    return text + marked[end:], tuple(marks)
