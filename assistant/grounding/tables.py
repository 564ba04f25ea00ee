"""The data of the checks: tables with a row a line, lists of words; ``#`` begins a remark."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def rows(name: str) -> list[list[str]]:
    """The rows of the table ``name``, each cut at its tabs."""
    return [line.split("\t") for line in _lines(name)]


@cache
def words(name: str) -> tuple[str, ...]:
    """The words of the list ``name`` in their order."""
    return tuple(word for line in _lines(name) for word in line.split())


def _lines(name: str) -> list[str]:
    text = (files("assistant.grounding") / "data" / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]
