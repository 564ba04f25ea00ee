"""How many bits a weight has and what shares a scale; apart from the arithmetic, so that what only
names a precision does not load it."""

from __future__ import annotations

from dataclasses import dataclass

GROUPS = (0, 32, 64, 128)


class QuantizationError(ValueError):
    """These weights cannot be held in the codes that were asked for."""


@dataclass(frozen=True)
class Scheme:
    """How many bits a code has, how many weights share a scale, and whether zero may move.

    ``group`` is 32, 64 or 128 neighbours in a row, or 0 for one scale a row (output channel).
    Symmetric codes are signed (-8..7, -128..127) and have no zero point; others are unsigned.

    Raises:
        QuantizationError: other bits or groups.
    """

    bits: int
    group: int = 0
    symmetric: bool = True

    def __post_init__(self) -> None:
        if self.bits not in (4, 8):
            raise QuantizationError(f"{self.bits} bits a weight: use 4 or 8.")
        if self.group not in GROUPS:
            raise QuantizationError(f"Groups of {self.group}: use 32, 64, 128, or 0 for a row.")

    def groups(self, columns: int) -> int:
        """How many groups a row of ``columns`` weights has.

        Raises:
            QuantizationError: the row does not divide into groups, or, at four bits, into bytes.
        """
        if columns < 1:
            raise QuantizationError("A row without weights cannot be quantised.")
        if self.bits == 4 and columns % 2:
            raise QuantizationError(
                f"Rows of {columns} weights do not fill whole bytes at 4 bits; use 8 bits."
            )
        size = self.group or columns
        if columns % size:
            fitting = [group for group in GROUPS if group and columns % group == 0]
            choice = f"{max(fitting)}" if fitting else "0 (one a row)"
            raise QuantizationError(
                f"Rows of {columns} weights do not divide into groups of {size}; "
                f"use group {choice}."
            )
        return columns // size

    def bits_per_weight(self, columns: int) -> float:
        """Stored bits a weight, scales and zero points included."""
        extra = 16 if self.symmetric else 16 + self.bits
        return self.bits + extra * self.groups(columns) / columns
