"""What a clinical evaluation found, as plain data, the same for terminal, report and UI.

A result is a folder with ``result.json`` and the report beside it (`eval.report`).
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from eval.errors import EvalError
from eval.run.identity import versions
from eval.run.journal import write_whole

RESULT = "result.json"

Kind = Literal[
    "differential",
    "checker",
    "discharge",
    "retrieval",
    "structuring",
    "quantisation",
    "assertion",
    "record-qc",
    "record-qa",
    "alerts",
    "bills",
    "perfusion",
    "detection",
    "classification",
    "omissions",
    "deidentify",
]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Figure(_Part):
    """One number with its 95 % interval; ``percent`` figures are 0 to 100 and drawn as bars."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    n: int = Field(ge=0, description="How many cases, statements or documents it rests on.")
    unit: str = "%"
    expected: float | None = Field(
        default=None, description="What was foretold of it; a group of these is drawn as a curve."
    )
    group: str = Field(default="", description="Figures of one group stand in one chart.")


class Table(_Part):
    """Rows of cells under a title."""

    title: str
    columns: list[str]
    rows: list[list[str]]
    note: str = ""


class Case(_Part):
    """One case that went wrong, for people to read."""

    id: str
    kind: str = ""
    given: str
    expected: str
    answer: str
    note: str = ""


class ClinicalResult(_Part):
    """One evaluation.  ``scores`` (0 to 100) are what gates and approvals read."""

    format: Literal[1] = 1
    kind: Kind
    title: str = Field(description="Chinese, then English.")
    headline: Figure
    scores: dict[str, float]
    figures: list[Figure]
    tables: list[Table] = Field(default_factory=list)
    cases: list[Case] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list, description="What a reader must know first.")
    model: dict[str, Any] = Field(default_factory=dict, description="`engine_identity`, if any.")
    hashes: dict[str, str] = Field(default_factory=dict, description="data, prompts, knowledge …")
    command: str = ""
    sources: list[str] = Field(default_factory=list)
    versions: dict[str, str] = Field(default_factory=versions)
    made: str = Field(default_factory=lambda: time.strftime("%Y-%m-%d %H:%M %z"))

    def save(self, folder: Path) -> Path:
        """Write ``result.json``; cases may be of patients, so only the owner reads the folder."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / RESULT
        write_whole(path, self.model_dump_json(indent=1))
        return path


def read_result(folder: Path) -> ClinicalResult:
    """The result that ``folder`` holds.

    Raises:
        EvalError: there is none, or it cannot be read.
    """
    path = folder / RESULT
    try:
        return ClinicalResult.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise EvalError(f"{folder} holds no result ({RESULT} is missing).") from None
    except (OSError, ValidationError) as error:
        raise EvalError(f"{path} cannot be read: {type(error).__name__}.") from error
