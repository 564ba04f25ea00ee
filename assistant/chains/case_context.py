"""What every member of the panel starts from: findings, ranked candidates, passages.

This is computed once a case and shared, so that members differ in their reasoning only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from assistant.chains.citation import passage_about
from assistant.chains.drugs import DrugNames
from assistant.chains.grounding import Grounder
from assistant.chains.segments import Segment, segment_notes, segment_passages
from assistant.record import SEX_ZH, Case, Note
from knowledge.base import KnowledgeBase
from knowledge.critical import CriticalDiagnosis
from knowledge.demographics import age_in, sex_in
from knowledge.finding import Finding
from knowledge.graph import RankedDisease
from knowledge.sources import Passage

CANDIDATES = 10
PASSAGES = 6


@dataclass(frozen=True)
class CaseContext:
    """A case with what the knowledge base says of it."""

    case: Case
    notes: list[Note]
    segments: list[Segment]
    findings: list[Finding]
    ranked: list[RankedDisease]
    critical: list[CriticalDiagnosis]
    passages: list[Passage]
    knowledge: KnowledgeBase

    @property
    def present(self) -> list[Finding]:
        """Findings that the patient has now, first mention of each concept."""
        return _unique(f for f in self.findings if f.counts_for)

    @property
    def absent(self) -> list[Finding]:
        """Findings that the record denies, first mention of each concept."""
        return _unique(f for f in self.findings if f.counts_against)

    def describe_patient(self) -> str:
        """``67岁 男`` as far as it is known."""
        patient = self.case.patient
        age = patient.age_text
        if not age and (years := patient.age_at(date.today())) is not None:
            age = f"{years:.0f}岁" if years >= 3 else f"{years * 12:.0f}个月"
        return " ".join(part for part in (age, SEX_ZH.get(patient.sex or "", "")) if part)

    def grounder(self, passages: list[Passage] | None = None) -> Grounder:
        """A grounder over the record and the passages (default: those retrieved)."""
        cited = self.passages if passages is None else passages
        segments = [*self.segments, *segment_passages([(p.id, p.text) for p in cited])]
        return Grounder(
            segments,
            findings_of=self.knowledge.extractor.extract,
            drugs_of=DrugNames(),
            patient_names=[self.case.patient.name],
            sources={p.id: p.source for p in cited},
        )


def _unique(findings: object) -> list[Finding]:
    seen: dict[str, Finding] = {}
    for finding in findings:  # type: ignore[attr-defined]
        seen.setdefault(finding.concept, finding)
    return list(seen.values())


def examine(case: Case, knowledge: KnowledgeBase) -> CaseContext:
    """Extract the findings, rank the diseases and retrieve the passages of one case."""
    notes = case.notes()
    findings = [f for note in notes for f in knowledge.extractor.extract(note.text, note.id)]
    told = "\n".join(note.text for note in notes)
    age = case.patient.age_at(date.today())
    age = age_in(told) if age is None else age
    sex = case.patient.sex or sex_in(told)
    ranked = knowledge.graph.rank(findings, age_years=age, sex=sex, limit=CANDIDATES)
    critical = knowledge.graph.critical(findings, age_years=age, sex=sex)
    query = case.chief_complaint or " ".join(note.text for note in notes)[:200]
    hits = knowledge.index.search(query, limit=PASSAGES) if query.strip() else []
    of_candidates = [
        p for r in ranked[:PASSAGES] if (p := passage_about(knowledge, r.disease)) is not None
    ]
    passages = {p.id: p for p in [*of_candidates, *(h.passage for h in hits)]}
    return CaseContext(
        case=case,
        notes=notes,
        segments=segment_notes(notes),
        findings=findings,
        ranked=ranked,
        critical=critical,
        passages=list(passages.values())[: PASSAGES * 2],
        knowledge=knowledge,
    )
