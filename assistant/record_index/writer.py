"""What structures the notes of a load."""

from __future__ import annotations

from assistant.tasks.structuring.command_render import EntityWriter
from assistant.tasks.structuring.form import Form
from assistant.tasks.structuring.workers import Opened


def open_writer(threads: int) -> Opened:
    """One process's part of it; ``threads``: of its model."""
    return EntityWriter(Form.JSONL, "", threads)
