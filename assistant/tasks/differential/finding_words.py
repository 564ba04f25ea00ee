"""A finding of the record in words, and the place that it stands at."""

from __future__ import annotations

from assistant.record.evidence import Evidence, TextSpan
from assistant.tasks.differential.case_context import CaseContext
from knowledge.clinical.reading import clinical_reader
from knowledge.text.finding import Finding, Polarity

_MARKS = "、，,；;：: "


def has(finding: Finding) -> str:
    """The finding in words; one that is only thought possible is said so.

    What says by itself that the patient does not have it (BP 96/62mmHg, 腹软无压痛) is quoted as it
    stands: a “无” before it would turn it round.
    """
    said = f"“{finding.text.strip(_MARKS)}”"
    absent = finding.polarity is Polarity.ABSENT
    if absent and _excludes_by_itself(finding):
        return f"病历写{said}"
    if not finding.is_certain:
        return ("可能无" if absent else "可能有") + said
    if absent:
        return f"无{said}"
    return ("有" if finding.counts_for else "既往有") + said


def _excludes_by_itself(finding: Finding) -> bool:
    return any(
        alone.concept == finding.concept and alone.polarity is Polarity.ABSENT
        for alone in clinical_reader().read(finding.text, finding.span.note_id)
    )


def record_evidence(context: CaseContext, finding: Finding) -> Evidence:
    """The span of a finding, quoted with the sentence around it."""
    for segment in context.segments:
        if segment.span.overlaps(finding.span):
            return TextSpan.at(finding.span, segment.text)
    return TextSpan.at(finding.span, finding.text)
