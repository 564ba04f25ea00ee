"""A finding is where the record has it: 胃窦溃疡，十二指肠息肉 has no 十二指肠溃疡."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.grounding.check import Check
from assistant.grounding.source import Clause
from assistant.grounding.wording import is_ordinary, telling
from knowledge.text.finding import Finding
from knowledge.text.folding import fold
from knowledge.text.synonyms import TermKind
from knowledge.text.terms import find_terms

_GAP = re.compile(r"(?:[处部区侧壁见有的可内多发一个]|[数几]枚|[触扪闻探]?及|黏膜|粘膜)*")


def check_sites(check: Check) -> None:
    """What stands right before a finding, and is a part of the body, must be its in the record."""
    for finding in check.said.findings:
        clause = check.said.clause_of(finding.span.start)
        if clause is None:
            continue
        places = [
            (c, f.span.start - c.start)
            for s in check.sources
            for f in s.findings
            if f.concept == finding.concept and (c := s.clause_of(f.span.start))
        ]
        if not places:
            # 体温高于38.5℃时 is a condition of a drug.
            span = finding.span
            if not any(a < span.end and span.start < b for a, b in check.taken):
                _check_name(check, finding)
                _check_own_part(check, finding)
            # The 囊肿 of 肾囊肿 is none of the 肾上腺.
            places = [(c, 0) for c in check.clauses if finding.text in c.text]
        else:
            _check_leading_part(check, finding)
        part = _part_before(clause.text, finding.span.start - clause.start)
        if part and places and not any(_may_be_at(part, c, at) for c, at in places):
            check.problem("no_evidence", part + finding.text)


_SHORTEST = 3
"""Characters of a name from which it is held against the record here: a shorter one is by its
wording."""

_MISSING = 2
"""Characters of a name that must stand in another clause of the sentence, and no more of them."""


def _part_before(text: str, at: int) -> str:
    """The part of the body that stands right before a finding, or overlaps it; "" without one."""
    for term in _parts(text):
        if term[0] < at and _GAP.fullmatch(text, min(term[1], at), at):
            return text[term[0] : term[1]]
    return ""


def _parts(text: str) -> Iterator[tuple[int, int]]:
    for term in find_terms(text):
        if term.kind is TermKind.BODY_PART:
            yield term.start, term.end


def _may_be_at(part: str, clause: Clause, at: int) -> bool:
    """Whether the record's finding may be of that part: it has it, or none at all."""
    own = [clause.text[a:b] for a, b in _parts(clause.text)]
    if not own:
        before = clause.source.text[: clause.start]
        own = [before[a:b] for a, b in _parts(before)]
    return not own or any(_may_be_one(part, other) for other in own)


def _may_be_one(part: str, other: str) -> bool:
    """Whether one is the other or a part of it: 肺 and 肺上叶, but not 肾 and 肾上腺."""
    longer, shorter = (part, other) if len(part) > len(other) else (other, part)
    return shorter in longer and not (longer.endswith("腺") and not shorter.endswith("腺"))


def _check_own_part(check: Check, finding: Finding) -> None:
    """Nor is 十二指肠溃疡 a 胃溃疡: the part that a name begins with must be the record's."""
    part = next((finding.text[a:b] for a, b in _parts(finding.text) if a == 0), "")
    rest = finding.text[len(part) :]
    if not part or len(rest) < 2 or any(fold(finding.text) in fold(s.text) for s in check.sources):
        return
    places = [c for c in check.clauses if rest in c.text]
    if places and not any(_may_be_at(part, c, c.text.find(rest)) for c in places):
        check.problem("no_evidence", finding.text)


def _check_leading_part(check: Check, finding: Finding) -> None:
    """胃底静脉曲张 and 食管静脉曲张 have one name in the lists, and are in two places."""
    mine = _leading(finding.text)
    theirs = [
        _leading(f.text) for s in check.sources for f in s.findings if f.concept == finding.concept
    ]
    if mine and all(theirs) and not any(_may_be_one(mine, other) for other in theirs):
        check.problem("no_evidence", finding.text)


def _leading(name: str) -> str:
    return next((name[a:b] for a, b in _parts(name) if a == 0), "")


def _check_name(check: Check, finding: Finding) -> None:
    """What the record does not name at all must at least stand in one clause by its characters."""
    if any(a < finding.span.end == min(b, finding.span.end) for a, b in check.computed):
        # 体重下降3kg is told by 体重由72kg降至69kg.
        return
    whole = any(fold(finding.text) in fold(s.text) for s in check.sources)
    # What one does not bear has a check of its own.
    if whole or "过敏" in finding.text:
        return
    wanted = {char for run in telling(finding.text) for char in run if not is_ordinary(char)}
    if len(wanted) < _SHORTEST:
        return
    if not any(
        len(wanted - clause.characters) < _MISSING and wanted <= set(clause.source.text)
        for clause in check.clauses
    ):
        check.problem("no_evidence", finding.text)
