"""The folder that a command writes to: made, or refused before any work is done."""

from __future__ import annotations

import os
from pathlib import Path

import typer


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
    raise typer.BadParameter(
        f"{folder} 无法写入，请换一个文件夹。(This folder cannot be written; name another.)"
    )
