"""The rule set: what each kind of finding costs, what a stay must have; the tables of checks."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assistant.record.note import NoteKind
from assistant.tasks.record_qc.draft import Grade, Severity

OWN = "record_qc.yaml"
"""A hospital's own rule set, in the home folder."""

_DATA = files("assistant.tasks.record_qc") / "data"


class RulesInvalid(ValueError):
    """A hospital's rule set cannot be read; the message says what is wrong with it."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class KindRule(_Part):
    """A kind of finding: what it is called, what it costs each time and at most."""

    title: str
    severity: Severity
    points: float = Field(ge=0, le=100)
    most: float = Field(ge=0, le=100)
    settle: str = ""
    enabled: bool = True
    at_save: bool = True
    """Whether it is said of a note while that is saved."""


class NoteRule(_Part):
    """A note that a stay must have."""

    name: str
    when: Literal["always", "stayed", "discharged", "operated", "died"]
    kinds: list[NoteKind]
    titles: str


class PartRule(_Part):
    """A part that notes of a kind must have: ``words`` is a pattern of its headings."""

    note: NoteKind
    name: str
    words: str


class Deadline(_Part):
    """Until when a note must be written."""

    name: str
    kind: Literal["admission", "first_progress", "operation", "round", "discharge_day"]
    after: Literal["admission", "operation", "discharge"]
    hours: float = Field(gt=0)


class Bounds(_Part):
    """How many times the limit of its range a result must pass to need a word."""

    high: float = Field(gt=1)
    low: float = Field(gt=0, lt=1)


class Rules(_Part):
    """A rule set as its file has it."""

    name: str
    grades: dict[Grade, float]
    kinds: dict[str, KindRule]
    notes: list[NoteRule]
    parts: list[PartRule]
    deadlines: list[Deadline]
    require_round: bool = False
    often_dismissed: int = Field(default=5, ge=1)
    """From so many dismissals on the dashboard shows a kind as one that a department dismisses."""

    by_doctor: bool = False
    """Whether the dashboard may count by the doctor who wrote the note: the hospital decides."""

    copy_similarity: float = Field(default=0.86, gt=0.5, le=1)
    abnormal_times: Bounds
    abnormal_skip: str = "(?!)"
    """Tests that run over powers of ten, where many times the limit is usual."""
    version: str = ""

    def off(self) -> list[str]:
        """The kinds that are turned off."""
        return [kind for kind, rule in self.kinds.items() if not rule.enabled]


def read_rules(home: Path | None = None) -> Rules:
    """The hospital's rule set where its home folder has one, else the one that ships.

    Raises `RulesInvalid`.
    """
    own = home / OWN if home is not None else None
    if own is not None and own.is_file():
        return _parse(own.read_bytes(), str(own))
    return _shipped()


@cache
def _shipped() -> Rules:
    return _parse((_DATA / "rules.yaml").read_bytes(), "rules.yaml")


def _parse(content: bytes, name: str) -> Rules:
    try:
        read = yaml.safe_load(content)
        found = Rules.model_validate(read)
        for pattern in (*(n.titles for n in found.notes), *(p.words for p in found.parts)):
            re.compile(pattern)
    except (yaml.YAMLError, UnicodeDecodeError, ValidationError, re.error) as error:
        said = " ".join(str(error).split())[:300]
        raise RulesInvalid(
            f"质控规则文件 {name} 不能读取，请更正：{said} (The rule set cannot be read.)"
        ) from error
    return found.model_copy(update={"version": hashlib.sha256(content).hexdigest()[:12]})


@dataclass(frozen=True, slots=True)
class Pattern:
    """A row of a table: a pattern and the other cells."""

    pattern: re.Pattern[str]
    cells: tuple[str, ...]


@cache
def table(name: str) -> tuple[tuple[str, ...], ...]:
    """The rows of a table of the folder ``data``."""
    text = (_DATA / f"{name}.tsv").read_text(encoding="utf-8")
    lines = (line for line in text.splitlines() if line.strip() and not line.startswith("#"))
    return tuple(tuple(cell.strip() for cell in line.split("\t")) for line in lines)


@cache
def patterns(name: str, column: int = 0) -> tuple[Pattern, ...]:
    """The rows of a table whose ``column`` is a pattern."""
    return tuple(Pattern(re.compile(row[column]), row) for row in table(name))
