"""Causes, complications and replacements must be those of the record."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from assistant.grounding.check import Check
from assistant.grounding.regimen_elements import same_drug
from assistant.grounding.source import Reading
from assistant.grounding.ties import bound_words, causes, sequences

_INSTEAD = re.compile(r"[^。；;\n]*(?:改|换|更换|替换)(?:用|为|成|予|服)?[^。；;，,\n]{0,6}")


def check_causes(check: Check) -> None:
    """因低钾减量 tells of no 因低钾加量, and 因胆囊炎入院 of no 因切口感染入院.

    Where the record gives no cause for the effect, and no effect of the cause, the wording decides.
    """
    said = [(clause, cause) for clause in check.said.clauses for cause in causes(clause.text)]
    written = [cause for source in check.sources for cause in causes(source.text)] if said else []
    for clause, cause in said:
        of_cause = [c for c in written if c.words & cause.words]
        of_effect = [c for c in written if c.effects & cause.effects]
        told = any(c.effects & cause.effects for c in of_cause)
        if (of_cause or of_effect) and not told:
            check.problem("no_evidence", clause.text)


def check_bound_words(check: Check) -> None:
    """术后并发切口感染 makes no complication of the 胆囊炎 that is told elsewhere."""
    for clause in check.said.clauses:
        end = clause.start + len(clause.text)
        named = [f for f in check.said.findings if clause.start <= f.span.start < end]
        for word in bound_words(clause.text):
            if not any(word in bound_words(c.text) for c in check.clauses):
                continue
            for finding in named:
                places = [
                    c
                    for s in check.sources
                    for f in s.findings
                    if f.concept == finding.concept and (c := s.clause_of(f.span.start))
                ]
                if places and not any(word in bound_words(c.text) for c in places):
                    check.problem("no_evidence", clause.text)


def check_replacements(check: Check) -> None:
    """头孢曲松改为美罗培南 is not 美罗培南改为头孢曲松."""
    written = [pair for source in check.sources for pair in _replaced(source)]
    for one, other in _replaced(check.said):
        same = any(same_drug(one, a) and same_drug(other, b) for a, b in written)
        turned = any(same_drug(one, b) and same_drug(other, a) for a, b in written)
        if turned and not same:
            check.problem("drug", f"{one}→{other}")


def check_sequences(check: Check) -> None:
    """先放疗，后行手术 is not 手术后行放疗."""
    said = sequences(check.text)
    written = [pair for source in check.sources for pair in sequences(source.text)] if said else []
    for one, two in said:
        turned = any(one & b and two & a and not (one & a and two & b) for a, b in written)
        told = any(one & a and two & b for a, b in written)
        if turned and not told:
            check.problem("number", check.text)


def _replaced(reading: Reading) -> Iterator[tuple[str, str]]:
    """Drugs of which the second takes the place of the first."""
    drugs = sorted({(r.drug.start, r.drug.end, r.drug.name) for r in reading.regimens})
    for (_, end, one), (start, _, other) in pairwise(drugs):
        if one != other and _INSTEAD.fullmatch(reading.text, end, start):
            yield one, other
