"""The findings that a statement and a record are read with: never fewer than those that ship."""

from __future__ import annotations

from assistant.grounding.source import FindingsOf
from knowledge.text.extraction import FINDING_KINDS, findings, names_something_else
from knowledge.text.finding import Finding, Span
from knowledge.text.terms import find_terms


def with_shipped(findings_of: FindingsOf) -> FindingsOf:
    """What ``findings_of`` reads, and the shipped terms that stand elsewhere or say more.

    A knowledge base may know less than the shipped tables: an illness that no one knows for one
    would be checked by its words alone, a relative's be told as the patient's, and the 出血 of
    脑出血 be any other.
    """

    def read(text: str, note_id: str) -> list[Finding]:
        found = list(findings_of(text, note_id))
        terms = [
            term
            for term in find_terms(text)
            if term.kind in FINDING_KINDS
            and not text.endswith("史", 0, term.end)
            and not names_something_else(text, term.start, term.end)
        ]
        for one in findings(text, note_id, terms):
            beside = [f for f in found if f.span.overlaps(one.span)]
            if all(_is_part(f.span, one.span) for f in beside):
                found = [f for f in found if f not in beside] + [one]
        return sorted(found, key=lambda finding: finding.span.start)

    return read


def _is_part(one: Span, other: Span) -> bool:
    """Whether ``other`` holds ``one`` and more."""
    return other.start <= one.start and one.end <= other.end and one != other
