"""Lists that a denial may still govern over their commas: 否认高血压，糖尿病，冠心病等慢性病史."""

from __future__ import annotations

import re

from assistant.grounding.source import Clause, Source
from knowledge.text.finding import Finding, Polarity

_REST = re.compile(
    r"(?:[、及和与或\s]|等|病史|史|不适|症状|表现|情况|慢性|急性|传染|基础|伴随|疾?病)*"
)
_SHORT = re.compile(r"[^有行予示见因入出诊查服经为是发治术伴\d]{2,6}")
"""A clause that may be no more than a name which the lexicon does not know."""

_STATE = re.compile(r"(?:差|欠佳|不佳|减退|低下|[增升]高|亢进|面容|貌|舌|皲裂)\Z")
"""Ends of names that tell what was seen: 无皮肤黄染，精神差 does not deny the second."""

_TAIL = re.compile(r"等[^，,]{0,8}\Z|史\Z")


def ends_a_denied_list(source: Source, finding: Finding) -> bool:
    """Whether a finding behind a denial may be denied as well.

    A bare list goes on over commas where the denial itself lists nothing else by 、, or where the
    list has a tail (等不适); 无腹痛、头晕，阴道少量流血 ends with 头晕.
    """
    clauses = source.clauses
    own = source.clause_of(finding.span.start)
    at = next((n for n, clause in enumerate(clauses) if clause is own), 0)
    if not at or not _is_bare(source, clauses[at]) or _STATE.search(finding.text):
        return False
    for number in range(at, 0, -1):
        if clauses[number].denials or (number < at and not _may_be_bare(source, clauses[number])):
            return False
        if _denies(source, clauses[number - 1]):
            return len(clauses[number - 1].denials) == 1 or _has_tail(source, clauses, at)
    return False


def _denies(source: Source, clause: Clause) -> bool:
    """Whether the clause denies findings; 无加重 denies none."""
    if any(clause.text.startswith("否认", denied.cue) for denied in clause.denials):
        return True
    absent = {f.span.start for f in source.findings if f.polarity is Polarity.ABSENT}
    return any(clause.start + denied.start in absent for denied in clause.denials)


def _has_tail(source: Source, clauses: list[Clause], at: int) -> bool:
    """Whether the bare list that holds a clause ends as lists do."""
    for clause in clauses[at:]:
        if not _may_be_bare(source, clause):
            return False
        if _TAIL.search(clause.text.strip()):
            return True
    return False


def _may_be_bare(source: Source, clause: Clause) -> bool:
    return _is_bare(source, clause) or _SHORT.fullmatch(clause.text) is not None


def _is_bare(source: Source, clause: Clause) -> bool:
    """Whether the clause is names of findings and nothing else."""
    rest = list(clause.text)
    for finding in source.findings:
        start, end = finding.span.start - clause.start, finding.span.end - clause.start
        if start >= 0 and end <= len(rest):
            rest[start:end] = " " * (end - start)
    return _REST.fullmatch("".join(rest)) is not None
