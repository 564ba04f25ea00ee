"""What every member of the panel starts from: findings, ranked candidates, passages.

This is computed once a case and shared, so that members differ in their reasoning only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from assistant.grounding.citation import passage_about
from assistant.grounding.grounder import Grounder
from assistant.grounding.known_drugs import drug_names
from assistant.grounding.segments import Segment, segment_notes, segment_passages
from assistant.record.case import Case
from assistant.record.note import Note
from assistant.record.patient import SEX_ZH
from knowledge.base import KnowledgeBase
from knowledge.clinical.differential import Question
from knowledge.clinical.evidence import CaseEvidence
from knowledge.graph import RankedDisease
from knowledge.panel_ranking import rank_case
from knowledge.ranking.critical import CriticalDiagnosis
from knowledge.ranking.demographics import age_in, sex_in
from knowledge.sources import Passage
from knowledge.text.extraction import FindingReader
from knowledge.text.finding import Finding, Polarity

CANDIDATES = 10
PASSAGES = 6
ADULT_YEARS = 18


@dataclass(frozen=True)
class CaseContext:
    """A case with what the knowledge base says of it."""

    case: Case
    notes: list[Note]
    segments: list[Segment]
    findings: list[Finding]
    ranked: list[RankedDisease]
    critical: list[CriticalDiagnosis]
    evidence: CaseEvidence
    questions: list[Question]
    second: RankedDisease | None
    passages: list[Passage]
    knowledge: KnowledgeBase

    @property
    def present(self) -> list[Finding]:
        """Findings that the patient is said to have now, first mention of each concept."""
        return stated(self.findings).present

    @property
    def absent(self) -> list[Finding]:
        """Findings that the record denies, first mention of each concept."""
        return stated(self.findings).absent

    @property
    def uncertain(self) -> list[Finding]:
        """Findings that the record only thinks possible and nowhere states as certain."""
        return stated(self.findings).uncertain

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
            drugs_of=drug_names(),
            patient_names=[self.case.patient.name],
            patient_sex=self.case.patient.sex,
            sources={p.id: p.source for p in cited},
        )


@dataclass(frozen=True)
class Stated:
    """The findings of now by how they are stated, first mention of each concept."""

    present: list[Finding]
    absent: list[Finding]
    uncertain: list[Finding]


def stated(findings: Sequence[Finding]) -> Stated:
    """Sort the findings of the present illness; those of the past or of others are left out."""
    present = _unique(f for f in findings if f.counts_for and f.is_certain)
    absent = _unique(f for f in findings if f.counts_against and f.is_certain)
    has = {f.concept for f in present}
    settled = has | {f.concept for f in absent}
    doubted = (
        f
        for f in findings
        if not f.is_certain
        and (
            (f.counts_for and f.concept not in has)
            or (f.counts_against and f.concept not in settled)
        )
    )
    return Stated(present, absent, _unique(doubted))


def hedged(finding: Finding) -> str:
    """``可能有胸痛``: an uncertain finding is never worded as a fact."""
    if finding.polarity is Polarity.ABSENT:
        return f"可能无“{finding.text}”"
    return f"可能有{finding.text}"


def _unique(findings: Iterable[Finding]) -> list[Finding]:
    seen: dict[str, Finding] = {}
    for finding in findings:
        seen.setdefault(finding.concept, finding)
    return list(seen.values())


def _extract(note: Note, reader: FindingReader, *, adult: bool) -> list[Finding]:
    """The findings of one field, read under the heading that the form shows above it.

    The heading makes what stands in 既往史 past; that an adult is the patient makes 儿子 and 女儿
    somebody else.  Spans point into the note as it is.
    """
    lead = _lead(note, adult=adult)
    found = reader.extract(lead + note.text, note.id)
    return [
        f.model_copy(update={"span": f.span.shifted(-len(lead))})
        for f in found
        if f.span.start >= len(lead)
    ]


def _lead(note: Note, *, adult: bool) -> str:
    return ("患者\n" if adult else "") + ("既往史：\n" if note.id == "past_history" else "")


def read_evidence(
    case: Case, knowledge: KnowledgeBase, reader: FindingReader | None = None
) -> tuple[list[Finding], CaseEvidence]:
    """The findings of a case, and what they are for the curated ranking (see `examine`)."""
    notes = case.notes()
    text = "\n".join(note.text for note in notes)
    age = case.patient.age_at(date.today())
    age = age_in(text) if age is None else age
    sex = case.patient.sex or sex_in(text)
    adult = age is not None and age >= ADULT_YEARS
    findings = [
        f for note in notes for f in _extract(note, reader or knowledge.extractor, adult=adult)
    ]
    evidence = knowledge.clinical.evidence(
        {note.id: note.text for note in notes},
        findings,
        leads={note.id: _lead(note, adult=adult) for note in notes},
        age_years=age,
        sex=sex,
    )
    return findings, evidence


def examine(
    case: Case, knowledge: KnowledgeBase, reader: FindingReader | None = None
) -> CaseContext:
    """Extract the findings, rank the diseases and retrieve the passages of one case.

    ``reader`` reads the findings; None: the base's lexicon.  Statements are held against the
    lexicon's findings in either case: there the model finds no error more and doubts more truths.
    """
    notes = case.notes()
    findings, evidence = read_evidence(case, knowledge, reader)
    ranking = rank_case(knowledge.graph, knowledge.clinical, evidence, findings, CANDIDATES)
    ranked = ranking.ranked
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
        critical=ranking.critical,
        evidence=evidence,
        questions=ranking.questions,
        second=ranking.second,
        passages=list(passages.values())[: PASSAGES * 2],
        knowledge=knowledge,
    )
