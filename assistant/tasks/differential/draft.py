"""What a member of the panel answers."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from assistant.draft import ModelDraft, Statement
from knowledge.text.finding import Finding


class DiagnosisEntry(BaseModel):
    """One candidate diagnosis of one member, ranked from 1.

    ``name_statement`` is the name as something to review: a doctor who deletes it takes the whole
    entry away, one who edits it changes the name.  ``own`` marks a diagnosis that was not among the
    candidates offered to the model, ``in_knowledge`` one that the knowledge base has.
    ``unexplained`` is what the patient has and the knowledge does not list for the diagnosis: a
    gap, which speaks neither for nor against it.  ``management`` are principles of treatment
    of the curated entry, ``cautions`` those of its warnings that apply to this record; nothing is
    prescribed.  ``identifiers``: of Orphanet and OMIM, of a rare disease.
    """

    rank: int
    name: str
    name_statement: Statement
    icd10: str | None = None
    icd10_name: str | None = None
    identifiers: list[str] = Field(default_factory=list)
    in_knowledge: bool = True
    own: bool = False
    must_not_miss: bool = False
    score: float | None = None
    supporting: list[Statement] = Field(default_factory=list)
    opposing: list[Statement] = Field(default_factory=list)
    unexplained: list[Statement] = Field(default_factory=list)
    ask: list[Statement] = Field(default_factory=list)
    tests: list[Statement] = Field(default_factory=list)
    red_flags: list[Statement] = Field(default_factory=list)
    management: list[Statement] = Field(default_factory=list)
    cautions: list[Statement] = Field(default_factory=list)

    def statements(self) -> list[Statement]:
        """All statements of the entry, its name first, in reading order."""
        return [
            self.name_statement,
            *self.supporting,
            *self.opposing,
            *self.unexplained,
            *self.ask,
            *self.tests,
            *self.red_flags,
            *self.management,
            *self.cautions,
        ]


Order = Literal["unmeasured", "model", "knowledge"]
"""Whose order a model's diagnoses stand in: its own that nobody has measured, its own that was
measured to be no worse than the ranking's, or the ranking's."""


class AskedFinding(BaseModel):
    """A finding to ask for or a result to get; ``information``: the bits that it should tell."""

    finding: str
    is_test: bool = False
    information: float = 0.0


class DifferentialDraft(ModelDraft):
    """One panel member's answer.

    ``questions``: what would tell most between the candidates; ``second_problem``: what the
    findings suggest that the first diagnosis does not explain.  ``order``: whose order the
    diagnoses stand in, the ranking's ("knowledge") where the model's was measured to be worse.
    ``rare``: rare diseases to think of, beside the ranking and in no order with it.
    """

    kind: Literal["differential_diagnosis"] = "differential_diagnosis"
    member: str
    model: str
    critical: list[DiagnosisEntry] = Field(default_factory=list)
    diagnoses: list[DiagnosisEntry] = Field(default_factory=list)
    second_problem: DiagnosisEntry | None = None
    rare: list[DiagnosisEntry] = Field(default_factory=list)
    findings: list[Finding] = Field(default_factory=list)
    missing: list[str] = Field(default_factory=list)
    order: Order = "unmeasured"
    questions: list[AskedFinding] = Field(default_factory=list)

    def statements(self) -> list[Statement]:
        """All statements of all entries; one that two entries share comes once."""
        second = (self.second_problem,) if self.second_problem else ()
        entries = (*self.critical, *self.diagnoses, *second, *self.rare)
        return list({s.id: s for entry in entries for s in entry.statements()}.values())

    def place(self) -> tuple[str, str]:
        """One draft a member."""
        return self.member, ""

    def key(self) -> str:
        """The member's card."""
        return self.member

    def all_statements(self) -> list[Statement]:
        """As `statements`."""
        return self.statements()

    def plain_text(self) -> str:
        """The diagnoses as lines, each with what is said of it."""
        return "\n".join(
            f"{entry.rank}. {entry.name}：" + "；".join(s.text for s in entry.statements()[1:])
            for entry in self.diagnoses
        )
