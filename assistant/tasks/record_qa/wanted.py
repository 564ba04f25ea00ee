"""What piece of a sentence a question asks for, which of several, and what the question is of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from assistant.tasks.record_qa.accounts import named_in, narrowed
from assistant.tasks.record_qa.tests import table
from knowledge.text.units import NONE, Unit, read_unit

_PICKS = (
    ("last", re.compile(r"最后|最近|末次|最新|出院[时前]|现在|目前")),
    ("first", re.compile(r"首次|第一[次回]|最初|最早|入院时|刚来|开始|起初")),
    ("highest", re.compile(r"最[高大多长]|峰值")),
    ("lowest", re.compile(r"最[低小少短]")),
)
_BEFORE_STAY = re.compile(r"以前|既往|曾经?|过去|年前|上次|外院|入院前|发病前|病史|史(?:吗|有|$)")
_TO_COME = re.compile(
    r"下次|什么时候[能要再来]|何时[能要再]|多久后|复[查诊]|随访|拆线|打算|计划|准备|出院后|[要能]多久|还要"
)

_SEVERAL = re.compile(r"分别|各[是为多几有]|相差|差多少|对比")
_READ = ("who", "how_many_days")
"""Qualifiers that a piece answers; what is narrowed otherwise has none."""

_LENGTH = re.compile(r"多[粗长高厚深宽]")


@dataclass(frozen=True, slots=True)
class Wanted:
    """``kind`` of the piece; ``runs`` are the words that a sentence must hold to be about it.

    ``counter`` is what is counted (枚 of 几枚), ``unit`` what it is measured in; ``acts`` what the
    clause must say was done; ``pick`` which of several; ``earlier``: of before
    the stay; ``to_come``: of a plan.
    """

    kind: str
    runs: tuple[str, ...]
    counter: str = ""
    unit: Unit = NONE
    acts: tuple[re.Pattern[str], ...] = ()
    pick: str = ""
    earlier: bool = False
    to_come: bool = False


@cache
def _kinds() -> list[tuple[str, re.Pattern[str]]]:
    return [(kind, re.compile(words)) for kind, words, _ in table("wanted.tsv")]


def wanted_of(folded: str) -> Wanted | None:
    """The piece that a question asks for; None where it asks for none that a sentence has."""
    if _SEVERAL.search(folded) or any(one.name not in _READ for one in narrowed(folded)):
        return None
    kind, hit = next(
        ((kind, hit) for kind, words in _kinds() if (hit := words.search(folded))), ("", None)
    )
    if hit is None:
        return None
    acts = tuple(
        re.compile(told) for words, told, _ in table("acts.tsv") if re.search(words, folded)
    )
    named = read_unit(folded, hit.end()) if kind == "amount" else None
    end = named[1] if named else hit.end()
    rest = folded[: hit.start()] + " " + folded[end:]
    for one in narrowed(folded):
        if one.name in ("who", "how_many_days"):
            rest = one.words.sub(" ", rest)
    pick = ""
    for name, pattern in _PICKS:
        if pattern.search(rest):
            pick = pick or name
            rest = pattern.sub(" ", rest)
    # 几个单位 counts units, and no pieces.
    counted = None if named else re.match(r"几(.)", hit[0])
    if named is None and _LENGTH.search(hit[0]):
        named = read_unit("mm", 0)
    return Wanted(
        kind=kind,
        runs=tuple(named_in(rest)),
        counter=counted[1] if counted and kind == "amount" else "",
        unit=named[0] if named else NONE,
        acts=acts,
        pick=pick,
        earlier=_BEFORE_STAY.search(folded) is not None,
        to_come=_TO_COME.search(folded) is not None,
    )


def without_asking(folded: str) -> str:
    """A question without the words that ask for a piece."""
    for _, words in _kinds():
        folded = words.sub("", folded)
    return folded
