"""Lengths of time and how many times: of what, of whom, and since when they are told."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.grounding.check import Check
from assistant.grounding.measured import Measured
from assistant.grounding.measuring import CALENDAR
from assistant.grounding.regimen_elements import same_drug
from assistant.grounding.source import Clause, Reading, Source
from assistant.grounding.wording import bigrams

_HOURS = frozenset({"h", "min", "s"})


def is_counted(said: Measured) -> bool:
    """Whether it is a length of time or how many times."""
    return said.quantity.unit.code in CALENDAR | _HOURS or said.quantity.unit_text == "次"


_MOTHER = re.compile(r"产妇|孕妇|母亲|其母|患母")
_CHILD = re.compile(r"新生儿|[男女活患]婴|婴儿|胎儿")


def of_mother_or_child(said: Clause, written: Clause | None) -> bool:
    """Whether both are of the mother, or of the child, as far as they say of whom."""
    if written is None:
        return True
    mine = (bool(_MOTHER.search(said.text)), bool(_CHILD.search(said.text)))
    theirs = (bool(_MOTHER.search(written.text)), bool(_CHILD.search(written.text)))
    return mine[0] == mine[1] or theirs[0] == theirs[1] or mine == theirs


_LATER = re.compile(r"后[第约近的]?[ ]?\Z")
_BESIDE = re.compile(r"后")


def counts_another(said: Reading, value: Measured, source: Reading, other: Measured) -> bool:
    """Whether the record's count is of another drug, or how long after something it was."""
    return _of_another_drug(said, value, source, other) or (
        _is_how_much_later(source, other) and not _may_be_later(said, value)
    )


def _is_how_much_later(reading: Reading, value: Measured) -> bool:
    """脑梗死后3天出现肺炎 tells of no 脑梗死治疗3天."""
    start = value.quantity.lead or value.quantity.start
    return value.quantity.unit.code in CALENDAR | _HOURS and bool(
        _LATER.search(reading.text, max(0, start - 3), start)
    )


def _may_be_later(reading: Reading, value: Measured) -> bool:
    start, end = value.quantity.lead or value.quantity.start, value.quantity.end
    return bool(_BESIDE.search(reading.text, max(0, start - 4), min(len(reading.text), end + 2)))


def _of_another_drug(said: Reading, value: Measured, source: Reading, other: Measured) -> bool:
    """Whether both clauses name drugs, and none is in both: 头孢曲松7天，改口服头孢克肟 gives the
    second no length."""
    mine = _drugs_beside(said, value)
    theirs = _drugs_beside(source, other)
    return bool(mine and theirs) and not any(same_drug(a, b) for a in mine for b in theirs)


def _drugs_beside(reading: Reading, value: Measured) -> set[str]:
    """The drugs of the clause of a value."""
    clause = reading.clause_of(value.quantity.start)
    if clause is None:
        return set()
    end = clause.start + len(clause.text)
    return {r.drug.name for r in reading.regimens if clause.start <= r.drug.start < end}


_WORD = re.compile(r"[\u4e00-\u9fff]{2}\Z")


def lasts_otherwise(
    check: Check, said: Measured, written: Sequence[tuple[Source, Measured]]
) -> bool:
    """Whether what stands right before a length of time has another one in the record:
    上腹痛2年，伴黑便2天 tells of no 黑便2年."""
    word = _WORD.search(check.text, 0, said.quantity.lead or said.quantity.start)
    if word is None:
        return False
    near = bigrams(word[0])
    alike = [
        m
        for _, m in written
        if near & m.before
        and is_counted(m)
        and (said.quantity.unit_text == "次") == (m.quantity.unit_text == "次")
    ]
    return bool(near and alike) and not any(said.says_the_same(m) for m in alike)
