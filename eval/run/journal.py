"""The predictions of a run: an append-only file, a line an answer, each on disk before the next.

A run that is killed leaves at most half a line at the end; it is cut off when the run goes on.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import TracebackType
from typing import Any

from eval.errors import EvalError
from eval.json_lines import read_objects


class Journal:
    """``with Journal(path) as journal:``; `answered` holds what an earlier run left."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = -1
        self.answered: dict[str, dict[str, Any]] = {}

    def __enter__(self) -> Journal:
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self._cut_half_line()
            for _, row in read_objects(self._path):
                self.answered[str(row.get("sample_id", ""))] = row
        except BaseException:
            os.close(self._file)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._file)
        self._file = -1

    def append(self, row: dict[str, Any]) -> None:
        """Write one line and wait until the disk has it.

        Raises:
            EvalError: the disk did not take it.
        """
        data = (json.dumps(row, ensure_ascii=False) + "\n").encode("utf-8", "replace")
        try:
            written = os.write(self._file, data)
            if written != len(data):
                raise OSError("the line was written in part")
            os.fsync(self._file)
        except OSError as error:
            raise EvalError(
                f"{self._path} cannot be written ({error.strerror or error}); free some space and "
                "run the same command again."
            ) from error
        self.answered[row["sample_id"]] = row

    def _cut_half_line(self) -> None:
        content = self._path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole != len(content):
            os.ftruncate(self._file, whole)
            os.fsync(self._file)


def write_whole(path: Path, text: str) -> None:
    """Write a file so that it is there whole or as it was before."""
    beside = path.with_name(f".{path.name}.part")
    with beside.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
