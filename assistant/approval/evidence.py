"""A recorded run as an approval reads it.

What reads run folders is installed beside this package, under the entry point group
``bedside.evidence``: a function from a folder to the fields of `Evidence` as plain data.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

GROUP = "bedside.evidence"


class EvidenceUnreadable(Exception):
    """There is no run there, or nothing that reads runs; the message says what to do."""


class Evidence(BaseModel):
    """One run.  ``scores`` are 0 to 100 and made anew from its answers; ``model`` is its identity.

    ``problem`` says why it is not complete, empty where it is.  ``prompts`` are the versions of
    the product's own prompts that it used (``task/name@…``), none where it used none.
    """

    model_config = ConfigDict(extra="forbid")

    name: str
    folder: str
    kind: str
    made: str
    problem: str
    scores: dict[str, float]
    model: dict[str, Any]
    samples: int = Field(ge=0)
    prompts: list[str] = Field(default_factory=list)
    hashes: dict[str, str] = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=dict)
    command: str = ""


def read_evidence(folder: Path) -> Evidence:
    """The run that ``folder`` holds.

    Raises:
        EvidenceUnreadable: nothing is installed that reads runs.
        Exception: what the reader raises, with a sentence, where the folder holds no sound run.
    """
    for entry in entry_points(group=GROUP):
        return Evidence.model_validate(entry.load()(folder))
    raise EvidenceUnreadable(f"Nothing is installed that reads runs (entry point {GROUP}).")
