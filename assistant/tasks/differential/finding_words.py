"""A finding of the record in words, and the place that it stands at."""

from __future__ import annotations

from assistant.record.evidence import Evidence, TextSpan
from assistant.tasks.differential.case_context import CaseContext
from knowledge.text.finding import Finding, Polarity


def has(finding: Finding) -> str:
    """The finding in words; one that is only thought possible is said so."""
    if not finding.is_certain:
        absent = finding.polarity is Polarity.ABSENT
        return ("可能无" if absent else "可能有") + f"“{finding.text}”"
    if finding.polarity is Polarity.ABSENT:
        return f"否认“{finding.text}”"
    return ("有" if finding.counts_for else "既往有") + f"“{finding.text}”"


def record_evidence(context: CaseContext, finding: Finding) -> Evidence:
    """The span of a finding, quoted with the sentence around it."""
    for segment in context.segments:
        if segment.span.overlaps(finding.span):
            return TextSpan.at(finding.span, segment.text)
    return TextSpan.at(finding.span, finding.text)
