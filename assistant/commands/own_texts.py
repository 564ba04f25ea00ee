"""Texts that a model is tried on: a user's own, or those that are shipped."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import typer

_TEXT_FIELDS = ("text", "prompt", "content")


def own_texts(paths: Sequence[Path] | None) -> list[str]:
    """The texts of some files, and our samples where there are none."""
    return [part for path in paths for part in read_texts(path)] if paths else sample_texts()


def read_texts(path: Path) -> list[str]:
    """A file's text, or those of its lines where it is JSON lines (strings, or objects with the
    field text, prompt or content)."""
    content = path.read_text("utf-8", errors="replace")
    if path.suffix != ".jsonl":
        return [content]
    texts = []
    for number, line in enumerate(content.splitlines(), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
            value = (
                value
                if isinstance(value, str)
                else next(value[key] for key in _TEXT_FIELDS if key in value)
            )
        except (ValueError, TypeError, StopIteration) as error:
            raise typer.BadParameter(
                f"{path}, line {number}: neither a string nor an object with "
                f"{' or '.join(_TEXT_FIELDS)}"
            ) from error
        texts.append(str(value))
    return texts


def sample_texts() -> list[str]:
    """What the shipped encounters and cases tell, each as one text."""
    folder = files("assistant") / "samples"
    found = []
    for kind in ("encounters", "cases"):
        for path in sorted((folder / kind).iterdir(), key=lambda entry: entry.name):
            words = list(_sentences(json.loads(path.read_text("utf-8"))))
            found.append("\n".join(words))
    return found


def _sentences(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value] if len(value) > 20 else []
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for part in inside for text in _sentences(part)]
