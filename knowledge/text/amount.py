"""A quantity as a value: exact numbers, unit, comparator, and when two say the same."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from knowledge.text.number import Number, plain
from knowledge.text.units import NONE, Unit

Shape = Literal["one", "range", "size", "pair", "ratio", "ranges", "sum"]
"""5mg; 10-15mg; 12×8×6mm; 130/80mmHg or 2/15; 1:320; 130-150/80-95mmHg; 39+2周."""

Comparator = Literal["", "<", "<=", ">=", ">"]

_JOINTS: dict[Shape, str] = {
    "one": "",
    "range": "-",
    "size": "*",
    "pair": "/",
    "ratio": ":",
    "ranges": "/",
    "sum": "+",
}
_TABLETS = ("tablets", "capsules", "ampoules", "bags", "sachets", "bottles")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number, or numbers that belong together, with their unit at ``[start, end)``.

    ``numbers`` are one, the two ends of a range, the sides of a size, the parts of a pair.
    ``unit`` is `NONE` where none is written; ``carried`` when it is written only at the end of the
    list (1、5、10分钟).  ``lead`` is where the comparator before it begins, ``tail`` where 以上
    behind it ends.  ``more`` is 余, 多, +; ``about`` 约, 左右; ``minus`` a sign before it;
    ``suffix`` the letter of a stage (ⅢA期); ``ordinal`` 第3天; ``glued`` a letter right before it
    (PLT120).  ``ambiguous``: the text can be read otherwise, too.
    """

    start: int
    end: int
    numbers: tuple[Number, ...]
    unit: Unit = NONE
    shape: Shape = "one"
    comparator: Comparator = ""
    lead: int = 0
    tail: int = 0
    more: bool = False
    about: bool = False
    minus: bool = False
    suffix: str = ""
    ordinal: bool = False
    glued: bool = False
    carried: bool = False

    @property
    def values(self) -> tuple[Decimal, ...]:
        """The numbers, exactly, in the order written."""
        found = tuple(number.value for number in self.numbers)
        if self.shape == "pair" and len(found) == 2 and self.unit.measures(*_TABLETS) and found[1]:
            return (found[0] / found[1],)
        if len(found) == 1 and self.numbers[0].high is not None:
            found = (found[0], self.numbers[0].high)
        return found

    @property
    def low(self) -> Decimal:
        """The smallest number."""
        return min(self.values)

    @property
    def high(self) -> Decimal:
        """The largest number."""
        return max(self.values)

    @property
    def ambiguous(self) -> bool:
        """Whether the text can be read otherwise, too."""
        return any(number.ambiguous for number in self.numbers)

    @property
    def base(self) -> tuple[Fraction, ...]:
        """The values in the base unit of their kind."""
        return tuple(Fraction(value) * self.unit.factor for value in self.values)

    @property
    def value_text(self) -> str:
        """The value as the product writes it: 12.3, 130/80, 12*8*6, 10-15, 3.2×10^5."""
        joint = _JOINTS[self.shape]
        # A size is written to the digit to which it was measured: 4.5*3.0.
        write = str if self.shape == "size" else plain
        parts = [write(number.written) for number in self.numbers]
        if self.shape == "ranges":
            parts = [f"{parts[0]}-{parts[1]}", f"{parts[2]}-{parts[3]}"]
        if len(parts) == 1 and self.numbers[0].high is not None:
            parts, joint = [*parts, plain(self.numbers[0].high)], "-"
        scale = self.numbers[-1].scale
        raised = f"×{scale}" if scale.startswith("10^") and not self._is_count else ""
        return joint.join(parts) + raised + self.suffix.upper() + ("+" if self.more else "")

    @property
    def unit_text(self) -> str:
        """The unit as the product writes it: 10^9/L, 万U, μg as ug; "" without one."""
        scale = self.numbers[-1].scale
        if not scale or (scale.startswith("10^") and not self._is_count):
            return self.unit.shown
        return f"{scale}{self.unit.shown}"

    @property
    def _is_count(self) -> bool:
        """10^9/L belongs together; 3.2×10^5 IU/mL does not."""
        shown, scale = self.unit.shown, self.numbers[-1].scale
        return shown.startswith("/") and scale in ("10^3", "10^6", "10^9", "10^12")

    def same(self, other: Quantity) -> bool:
        """Whether both say the same, in whatever unit: 1g is 1000mg, 1.25万U is 12,500U.

        A bare number is only a bare number; what can be read otherwise is never the same.
        """
        return (
            not (self.ambiguous or other.ambiguous)
            and self.unit.converts_to(other.unit)
            and self.base == other.base
            and (self._kind, self.comparator, self.more, self.minus, self.suffix, self.ordinal)
            == (other._kind, other.comparator, other.more, other.minus, other.suffix, other.ordinal)
        )

    @property
    def _kind(self) -> str:
        if len(self.values) == 1:
            return "one"
        return "range" if self.numbers[0].high is not None else self.shape


@dataclass(frozen=True, slots=True)
class Series:
    """Quantities that followed one another (由95降至68，后升至82); the last is the present one."""

    quantities: tuple[Quantity, ...]

    @property
    def last(self) -> Quantity:
        """What it has become."""
        return self.quantities[-1]
