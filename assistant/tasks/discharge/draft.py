"""A section of the discharge record, and what is copied above all sections."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from assistant.draft import NOT_RECORDED, ModelDraft, Statement

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


class SectionDraft(ModelDraft):
    """One section of a discharge record."""

    kind: Literal["discharge_section"] = "discharge_section"
    section: SectionName
    title: str
    model: str
    statements: list[Statement] = Field(default_factory=list)
    missing: list[str] = Field(default_factory=list)
    offered: list[Statement] = Field(
        default_factory=list,
        description="What the record has and the section does not tell: it stands in the text once "
        "a doctor has confirmed it.",
    )

    left_out: list[Statement] = Field(
        default_factory=list,
        description="What the model wrote and nothing supports, where the events of the stay tell "
        "the section: it stands in no text.",
    )

    def place(self) -> tuple[str, str]:
        """One draft a section."""
        return self.model or "copied", self.section

    def key(self) -> str:
        """The section's card."""
        return self.section

    def all_statements(self) -> list[Statement]:
        """The sentences of the section, and those that may be inserted."""
        return [*self.statements, *self.offered]

    def inserted(self) -> frozenset[str]:
        """Those that may be inserted."""
        return frozenset(s.id for s in self.offered)

    def plain_text(self) -> str:
        """The section as it was written."""
        return "\n".join(s.text for s in self.statements)


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
