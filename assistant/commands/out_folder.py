"""The folder that a command writes to: made, or refused before any work is done."""

from __future__ import annotations

import os
from pathlib import Path

import typer


def check(folder: Path) -> None:
    """That ``folder`` can be made and written to, without making it.

    Raises `typer.BadParameter` where it cannot, or is a file.
    """
    above = next(one for one in (folder.absolute(), *folder.absolute().parents) if one.exists())
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        raise _refused(folder)


def make(folder: Path) -> None:
    """Make ``folder`` with those above it.

    Raises `typer.BadParameter` where it cannot be made or written to, or is a file.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK | os.X_OK):
            return
    except OSError:
        pass
    raise _refused(folder)


def _refused(folder: Path) -> typer.BadParameter:
    return typer.BadParameter(
        f"{folder} 无法写入，请换一个文件夹。(This folder cannot be written; name another.)"
    )
