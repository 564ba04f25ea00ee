"""Drafts: what a task hands to the doctor, statement by statement, each with its evidence.

Nothing here is final.  A `Statement` that nothing supports says so, and a draft cannot be filled in
until every such statement has been deleted or confirmed by a doctor.  ``approved`` says whether
model, precision and prompt were approved for clinical use when a model wrote the draft; where they
were not, it is ``demo_only``.  Each task has its own kind of draft beside its work.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from assistant.record.evidence import Evidence

__all__ = [
    "DISCLAIMER_EN",
    "DISCLAIMER_ZH",
    "NOT_RECORDED",
    "Draft",
    "ModelDraft",
    "Problem",
    "ProblemKind",
    "Statement",
    "name_id",
]

DISCLAIMER_ZH = "本内容由人工智能辅助生成，仅为草稿，须经执业医师审核后方可使用。"
DISCLAIMER_EN = "AI-generated draft. A licensed doctor must review it before any use."
NOT_RECORDED = "病历未记载"

ProblemKind = Literal[
    "number",
    "unit",
    "date",
    "drug",
    "dose",
    "laterality",
    "negation",
    "certainty",
    "earlier_stay",
    "wrong_patient",
    "no_evidence",
]


class Problem(BaseModel):
    """Why a statement is not supported; ``text`` is the offending part of the statement."""

    model_config = ConfigDict(frozen=True)

    kind: ProblemKind
    text: str


class Statement(BaseModel):
    """One thing that a draft says."""

    id: str
    text: str
    status: Literal["supported", "unsupported"]
    evidence: list[Evidence] = Field(default_factory=list)
    problems: list[Problem] = Field(default_factory=list)
    origin: Literal["record", "knowledge", "model"] = "model"


def name_id(statement_id: str) -> str:
    """The id of the name of the diagnosis that a statement is about (``d1-s2`` → ``d1-n``)."""
    return statement_id.rpartition("-")[0] + "-n"


class Draft(BaseModel):
    """The base of every task's draft; a task gives ``kind`` a literal of its own.

    ``model`` is empty where no model wrote it.
    """

    kind: str
    model: str = ""
    prompt_version: str = ""
    knowledge_version: str = ""
    disclaimer: str = DISCLAIMER_ZH

    def place(self) -> tuple[str, str]:
        """(member, section): a request keeps one draft for each."""
        return self.model or "copied", ""

    def key(self) -> str:
        """The card of the page that it belongs to, where a request gives several drafts."""
        return ""

    def all_statements(self) -> list[Statement]:
        """What a doctor reviews one by one; none where nothing can be filled in."""
        return []

    def inserted(self) -> frozenset[str]:
        """Ids of statements that stand in the text only once a doctor has confirmed them."""
        return frozenset()

    def plain_text(self) -> str:
        """Its statements as lines: what edit distance and feedback pairs are made from."""
        return "\n".join(s.text for s in self.all_statements())


class ModelDraft(Draft):
    """A draft that a language model may have written."""

    demo_only: bool = False
    approved: bool = False
    warnings: list[str] = Field(default_factory=list)
    seconds: float = 0.0
