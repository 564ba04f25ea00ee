"""Names of tests: what a row or a question calls a test, and its specimen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.resources import files

from assistant.tasks.record_qc.results import concept_of
from knowledge.text.folding import fold

_BRACKETS = re.compile(r"[（(].*?[)）]|\s")


def table(name: str) -> Iterator[list[str]]:
    """The rows of a table of this task; lines that begin with # are remarks."""
    text = (files("assistant.tasks.record_qa") / "data" / name).read_text("utf-8")
    return (line.split("\t") for line in text.splitlines() if line and not line.startswith("#"))


@cache
def _specimens() -> list[tuple[str, re.Pattern[str]]]:
    return [(name, re.compile(pattern)) for name, pattern in table("specimens.tsv")]


@cache
def _aliases() -> dict[str, str]:
    return {fold(name): wanted for name, wanted in table("test_aliases.tsv")}


@cache
def wordings() -> list[tuple[re.Pattern[str], list[str], str]]:
    """What doctors say for tests: pattern, tests, example."""
    return [(re.compile(p), t.split("|"), example) for p, t, example in table("test_wordings.tsv")]


def specimen_of(name: str) -> str:
    """What was examined, as the name of a test says it; "" for blood or where it says nothing."""
    bare = _BRACKETS.sub("", fold(name))
    return next((said for said, pattern in _specimens() if pattern.search(bare)), "")


@lru_cache(maxsize=4096)
def test_of(name: str) -> str:
    """The one name that a test is asked by: 血肌酐, Cr → 肌酐; 尿肌酐 stays apart."""
    bare = _BRACKETS.sub("", name)
    found = concept_of(bare)
    for one in (bare, found):
        alias = _aliases().get(fold(one))
        if alias is not None:
            return alias
    if bare.startswith(("24小时", "24h", "24H")) and not found.startswith("24小时"):
        # What a day brings is not what one sample shows.
        return "24小时" + found
    specimen = specimen_of(bare)
    if specimen and not specimen_of(found):
        # The list has 尿淀粉酶 under 淀粉酶: another specimen is another test.
        return specimen + found
    return found
