"""Whose illness a term is: the patient's, or a relative's."""

from __future__ import annotations

import re
from itertools import chain

from knowledge.text.assertion.lists import listed_before
from knowledge.text.assertion.marks import Cue
from knowledge.text.assertion.reading import Reading
from knowledge.text.finding import Experiencer

_PATIENT_NAMED = re.compile(r"患者|病人|本人")
# Behind a relative, what happened to the patient then: 照顾偏瘫的老伴时扭伤.
_THEN = ("时", "后", "期间")


def relate(reading: Reading) -> None:
    """Give to relatives what is theirs."""
    # A child is the patient where a parent writes, and somebody else where one is named.
    children = reading.of("child") if _PATIENT_NAMED.search(reading.folded) else []
    for cue in chain(reading.of("other"), children):
        for index in _owned(reading, cue) or reading.reach.of(cue):
            reading.result[index].experiencer = Experiencer.FAMILY


def _owned(reading: Reading, cue: Cue) -> list[int]:
    """Numbers of the terms that belong to the relative behind 的 (照顾偏瘫的老伴后腰痛): those just
    before it, and those behind it in the clause, unless they happened to the patient then."""
    folded, terms = reading.folded, reading.terms
    clause = reading.places.clause(cue.start)
    before = terms.inside(clause.start, cue.start)
    if cue.rule.direction != ">" or folded[cue.start] != "的" or not before:
        return []
    if terms.matches[before[-1]].end != cue.start:
        return []
    listed = listed_before(folded, terms, before[-1], clause.start)
    if folded.startswith(_THEN, cue.end):
        return listed
    return [*listed, *terms.inside(cue.end, reading.reach.end_of(cue, clause.end))]
