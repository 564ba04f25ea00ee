"""An output file that is written note by note, and goes on after a kill where it stopped.

Beside the file stands a journal: a first line that says what the file is made of, then for each
note that is whole in the file its id and the size of the file after it.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from assistant.whole_file import whole


class OutputError(Exception):
    """The output cannot be continued or written; the message says what to do."""


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]


class Journal:
    """Appends notes to ``path``; use as a context manager.

    ``made_of`` is whatever changes the output: the same file is not continued with another.
    """

    def __init__(self, path: Path, made_of: str, *, restart: bool = False) -> None:
        self._path = path
        self._journal = path.with_name(path.name + ".journal")
        self._made_of = made_of
        if path.exists() and not path.is_file():
            raise OutputError(f"{path} is no file: give another --out.")
        if restart:
            self._journal.unlink(missing_ok=True)
            path.unlink(missing_ok=True)
        self._whole: list[str] = []
        self._claimed: dict[str, str] = {}
        self.done, self._size = self._read()

    def claim(self, note_id: str, text: str) -> bool:
        """Whether the note is to be made: it is not in the file, and was not claimed before.

        Raises:
            OutputError: it is there, or claimed, with another text.
        """
        known = self.done.get(note_id) or self._claimed.get(note_id)
        if known is None:
            self._claimed[note_id] = _digest(text)
            return True
        if known != _digest(text):
            raise OutputError(
                f"{note_id} 与 {self._path} 中已处理的文字不同。{note_id} has another text than "
                f"the note of that name in {self._path}: give another --out, or --restart to write "
                "it anew."
            )
        return False

    def _read(self) -> tuple[dict[str, str], int]:
        if not self._journal.exists():
            if self._path.exists() and self._path.stat().st_size:
                raise OutputError(
                    f"{self._path} is there already and was not begun by this command. "
                    "Give another --out, or --restart to write it anew."
                )
            return {}, 0
        # A line that a kill cut short has no end.
        lines = self._journal.read_text(encoding="utf-8").split("\n")[:-1]
        if not lines or lines[0] != json.dumps(self._made_of):
            raise OutputError(
                f"{self._path} was begun with another format, template or model. "
                "Give another --out, or --restart to write it anew."
            )
        there = self._path.stat().st_size if self._path.exists() else 0
        done: dict[str, str] = {}
        size = 0
        for line in lines[1:]:
            note_id, end, digest = json.loads(line)
            if end > there:
                break
            done[note_id] = digest
            size = end
            self._whole.append(line)
        return done, size

    def __enter__(self) -> Self:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("ab")
        self._file.truncate(self._size)
        lines = [json.dumps(self._made_of), *self._whole]
        with whole(self._journal) as partial:
            partial.write_text("\n".join(lines) + "\n", encoding="utf-8")
        self._notes = self._journal.open("a", encoding="utf-8")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        self._notes.close()

    def remove(self) -> None:
        """What was written is somewhere else now: the file and its journal go."""
        self._path.unlink(missing_ok=True)
        self._journal.unlink(missing_ok=True)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is in the file yet: what comes first brings the header."""
        return self._size == 0

    def add(self, note_id: str, text: str, made: str) -> None:
        """Write what the note of ``text`` came to; it is on the disk before the journal says so."""
        self._file.write(made.encode("utf-8"))
        self._file.flush()
        os.fsync(self._file.fileno())
        self._size = self._file.tell()
        self.done[note_id] = _digest(text)
        self._notes.write(json.dumps([note_id, self._size, self.done[note_id]]) + "\n")
        self._notes.flush()
