"""An alert: what a rule says of a record."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from assistant.record.evidence import Evidence


class AlertSource(BaseModel):
    """What a rule rests on."""

    model_config = ConfigDict(frozen=True)

    name: str
    year: int


class Alert(BaseModel):
    """One prompt.  ``key`` is the same as long as the facts are; ``question``: it asks only.

    ``interruptive``: it waits for an answer; the others are shown beside the work.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    rule: str
    title: str
    severity: Literal["critical", "warning", "info"]
    message: str
    settle: str
    source: AlertSource
    question: bool = False
    interruptive: bool = False
    evidence: list[Evidence] = Field(default_factory=list)
    drugs: list[str] = Field(default_factory=list, description="Ids of the rows that it is about.")
    key: str
