"""What goes wrong in an evaluation, in words for the person who started it."""

from __future__ import annotations

from pathlib import Path


class EvalError(Exception):
    """Something that the user can put right; the message says what."""


class InputError(EvalError):
    """A file cannot be used; the message names file, line and field."""

    def __init__(self, path: Path | str, line: int, problem: str, field: str = "") -> None:
        self.path = str(path)
        self.line = line
        self.field = field
        place = f"{path}:{line}" if line else str(path)
        named = f"field {field!r}: " if field else ""
        super().__init__(f"{place}: {named}{problem}")
