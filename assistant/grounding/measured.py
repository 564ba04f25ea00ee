"""A number with what it is of: a test or a sign, its specimen, which of several values it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from knowledge.text.amount import Quantity

_APART = {
    ("first", "last"), ("last", "first"), ("left", "last"), ("last", "left"), ("", "left"),
    ("first", "earlier"), ("last", "earlier"),
}  # fmt: skip
"""Moments of a statement's value and of the record's that cannot be one."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A quantity with what it is of.

    ``concept`` is the name of the test or sign, "" where no list has it; ``before`` and ``after``
    are the words beside it.  ``moment`` says which of several values it is, where the text does:
    "first", "last", "earlier" before this illness, or "left" where it goes on to what became of it
    (由12降至4).
    """

    quantity: Quantity
    concept: str
    qualifiers: frozenset[str]
    before: frozenset[str]
    after: frozenset[str]
    moment: str
    reference: bool
    name_start: int
    """Where the name of the test begins, else the quantity itself."""
    name_end: int

    def is_of(self, other: Measured) -> bool:
        """Whether both are values of one thing, as far as the words tell."""
        if self.concept and other.concept:
            return self.concept == other.concept and self.fits(other)
        if self._is_solution and other._is_solution:
            # 加入0.9%氯化钠 and 入0.9%氯化钠.
            return bool(self.after & other.after)
        if self.before:
            return bool(self.before & (other.before | other.after)) and self.fits(other)
        if self.after:
            return bool(self.after & (other.after | other.before))
        return True

    @property
    def _is_solution(self) -> bool:
        """Whether it is how strong a solution is, whose name stands right behind it."""
        return not self.concept and self.quantity.unit_text == "%" and bool(self.after)

    def fits(self, other: Measured) -> bool:
        """Whether neither is qualified otherwise: 空腹 and 餐后, 尿 and 血."""
        mine = dict(one.split(":") for one in self.qualifiers)
        theirs = dict(one.split(":") for one in other.qualifiers)
        if mine.get("form") != theirs.get("form"):
            # BNP is no NT-proBNP, whichever of them is named.
            return False
        return all(theirs.get(kind, value) == value for kind, value in mine.items())

    def says_the_same(self, other: Measured) -> bool:
        """Whether the value is that of ``other``, or the part of it that it names."""
        mine, theirs = self.quantity, other.quantity
        if (self.moment, other.moment) in _APART:
            return False
        if mine.same(theirs) or _bare(mine, theirs):
            return True
        if mine.shape != "one" or theirs.shape not in ("pair", "size"):
            return False
        if not mine.unit.converts_to(theirs.unit) or mine.comparator != theirs.comparator:
            return False
        parts = theirs.base if len(theirs.base) == len(theirs.numbers) else ()
        if theirs.shape == "size":
            return mine.base[0] in parts
        diastolic = "part:舒张" in self.qualifiers
        return bool(parts) and mine.base[0] == parts[-1 if diastolic else 0]

    def leaves_its_unit(self, other: Measured, written: Sequence[tuple[object, Measured]]) -> bool:
        """Whether one of the two has no unit, and the record has one alone for that test:
        升至480U/L，后降至96 has 96U/L."""
        mine, theirs = self.quantity, other.quantity
        if (
            not self.concept
            or self.concept != other.concept
            or bool(mine.unit) == bool(theirs.unit)
        ):
            return False
        if (self.moment, other.moment) in _APART or mine.ambiguous or theirs.ambiguous:
            return False
        units = {
            m.quantity.unit_text
            for _, m in written
            if m.concept == self.concept and m.quantity.unit and m.fits(self)
        }
        return (
            len(units | {q.unit_text for q in (mine, theirs) if q.unit}) == 1
            and bool(units)
            and [n.written for n in mine.numbers] == [n.written for n in theirs.numbers]
            and (mine.shape, mine.comparator, mine.more, mine.minus, mine.suffix, mine.ordinal)
            == (
                theirs.shape,
                theirs.comparator,
                theirs.more,
                theirs.minus,
                theirs.suffix,
                theirs.ordinal,
            )
        )


def _bare(mine: Quantity, theirs: Quantity) -> bool:
    """A number without its unit, where the record has the usual one."""
    usual = {"", "次", "次/分", "/分", "mmHg", "℃", "分"}
    return (
        not mine.unit
        and theirs.unit_text in usual
        and not (mine.ambiguous or theirs.ambiguous)
        and mine.values == theirs.values
        and (mine.shape, mine.comparator, mine.more, mine.minus)
        == (theirs.shape, theirs.comparator, theirs.more, theirs.minus)
    )
