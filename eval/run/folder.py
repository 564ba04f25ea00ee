"""The folder of something that is asked over hours: one at work in it, and always the same."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from eval.errors import EvalError
from eval.run.journal import write_whole

LOCK = ".lock"
_NOT_COMPARED = ("command", "started", "parallel", "sources")


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the folder, made where it is missing; a second run would write every answer twice.

    Raises:
        EvalError: another run is at work in it.
    """
    # Prompts and answers may be of patients.
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise EvalError(f"Another run is at work in {folder}.") from None
        yield
    finally:
        os.close(lock)


def same_settings(path: Path, answers: Path, description: dict[str, Any]) -> None:
    """Write what a run is to ``path``, or make sure that it is the one that stands there.

    Raises:
        EvalError: another run stands there, or ``answers`` are there of a run that is not known.
    """
    if not path.exists():
        if answers.exists():
            raise EvalError(
                f"{path.parent} holds answers ({answers.name}) without {path.name}; name another "
                "folder."
            )
        write_whole(path, json.dumps(description, ensure_ascii=False, indent=1))
        return
    earlier = read_settings(path)
    plain = json.loads(json.dumps(description))
    differing = [
        key
        for key in sorted(earlier.keys() | plain.keys())
        if key not in _NOT_COMPARED and earlier.get(key) != plain.get(key)
    ]
    if differing:
        raise EvalError(
            f"{path.parent} holds another run: {', '.join(differing)} differ. Name another folder, "
            "or run the command that it was begun with (bedside eval report shows it)."
        )


def read_settings(path: Path) -> dict[str, Any]:
    """What `same_settings` wrote.

    Raises:
        EvalError: there is nothing, or it cannot be read.
    """
    try:
        value = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise EvalError(f"{path.parent} holds no run ({path.name} is missing).") from None
    except (OSError, ValueError) as error:
        raise EvalError(f"{path} cannot be read ({error}).") from error
    if not isinstance(value, dict) or value.get("format") != 1:
        raise EvalError(f"{path} is of another version of Bedside.")
    return value
