"""Drafts: what a chain hands to the doctor, statement by statement, each with its evidence.

Nothing here is final.  A `Statement` that nothing supports says so, and a draft cannot be filled in
until every such statement has been deleted or confirmed by a doctor.  ``approved`` says whether
model, precision and prompt were approved for clinical use when a model wrote the draft; where they
were not, it is ``demo_only``.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from knowledge.text.finding import Finding, Span

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


class Evidence(BaseModel):
    """Where a statement comes from: a span of the record, or a passage of the knowledge base."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["record", "knowledge"]
    quote: str
    span: Span | None = None
    passage_id: str | None = None
    source: str = ""


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


class DiagnosisEntry(BaseModel):
    """One candidate diagnosis of one member, ranked from 1.

    ``name_statement`` is the name as something to review: a doctor who deletes it takes the whole
    entry away, one who edits it changes the name.  ``own`` marks a diagnosis that was not among the
    candidates offered to the model, ``in_knowledge`` one that the knowledge base has.
    """

    rank: int
    name: str
    name_statement: Statement
    icd10: str | None = None
    icd10_name: str | None = None
    in_knowledge: bool = True
    own: bool = False
    must_not_miss: bool = False
    score: float | None = None
    supporting: list[Statement] = Field(default_factory=list)
    opposing: list[Statement] = Field(default_factory=list)
    ask: list[Statement] = Field(default_factory=list)
    tests: list[Statement] = Field(default_factory=list)
    red_flags: list[Statement] = Field(default_factory=list)

    def statements(self) -> list[Statement]:
        """All statements of the entry, its name first, in reading order."""
        return [
            self.name_statement,
            *self.supporting,
            *self.opposing,
            *self.ask,
            *self.tests,
            *self.red_flags,
        ]


class DifferentialDraft(BaseModel):
    """One panel member's answer."""

    kind: Literal["differential_diagnosis"] = "differential_diagnosis"
    member: str
    model: str
    demo_only: bool = False
    approved: bool = False
    prompt_version: str = ""
    knowledge_version: str = ""
    critical: list[DiagnosisEntry] = Field(default_factory=list)
    diagnoses: list[DiagnosisEntry] = Field(default_factory=list)
    findings: list[Finding] = Field(default_factory=list)
    missing: list[str] = Field(default_factory=list)
    warnings: list[str] = Field(default_factory=list)
    seconds: float = 0.0
    disclaimer: str = DISCLAIMER_ZH

    def statements(self) -> list[Statement]:
        """All statements of all entries; one that two entries share comes once."""
        entries = (*self.critical, *self.diagnoses)
        return list({s.id: s for entry in entries for s in entry.statements()}.values())


SectionName = Literal[
    "discharge_diagnosis",
    "admission_condition",
    "hospital_course",
    "discharge_condition",
    "discharge_orders",
]
SECTION_ZH: dict[SectionName, str] = {
    "discharge_diagnosis": "出院诊断",
    "admission_condition": "入院情况",
    "hospital_course": "诊疗经过",
    "discharge_condition": "出院情况",
    "discharge_orders": "出院医嘱",
}


class SectionDraft(BaseModel):
    """One section of a discharge record."""

    kind: Literal["discharge_section"] = "discharge_section"
    section: SectionName
    title: str
    model: str
    demo_only: bool = False
    approved: bool = False
    prompt_version: str = ""
    statements: list[Statement] = Field(default_factory=list)
    missing: list[str] = Field(default_factory=list)
    warnings: list[str] = Field(default_factory=list)
    seconds: float = 0.0
    disclaimer: str = DISCLAIMER_ZH


class DischargeHeader(BaseModel):
    """What is copied from the data and never comes from a model.  Absent values are None."""

    patient_name: str = NOT_RECORDED
    sex: str = NOT_RECORDED
    age: str = NOT_RECORDED
    department: str = NOT_RECORDED
    admitted_on: str = NOT_RECORDED
    discharged_on: str = NOT_RECORDED
    days_in_hospital: str = NOT_RECORDED
    admission_diagnoses: list[str] = Field(default_factory=list)
    pending_results: list[str] = Field(default_factory=list)
    signature: str = ""


class Answer(BaseModel):
    """A chat answer over the knowledge base."""

    kind: Literal["answer"] = "answer"
    question: str
    model: str
    demo_only: bool = False
    approved: bool = False
    prompt_version: str = ""
    statements: list[Statement] = Field(default_factory=list)
    passages: list[str] = Field(default_factory=list)
    warnings: list[str] = Field(default_factory=list)
    seconds: float = 0.0
    disclaimer: str = DISCLAIMER_ZH
