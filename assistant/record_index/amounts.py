"""Numbers with units as one number in base units, so that 1.5mg/dL and 15mg/L compare."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from assistant.record_index.vocabulary import molar_masses
from knowledge.text.quantity import fold_for_numbers, read_quantity
from knowledge.text.units import Dimensions

_LARGEST = 10**18


@dataclass(frozen=True, slots=True)
class Amount:
    """``number`` in base units; ``dimensions`` as text, "" for a bare number."""

    number: float
    dimensions: str


def amount(value: str, unit: str) -> Amount | None:
    """The amount of a result as a note has it; None for words, pairs and ranges."""
    between = "×" if unit.startswith("10^") else ""
    text = f"{value}{between}{unit}"
    read = read_amount(text)
    return read[0] if read is not None and read[1] == len(text) else None


def read_amount(text: str) -> tuple[Amount, int] | None:
    """The amount that ``text`` begins with, and where it ends; None where it begins with none."""
    folded = fold_for_numbers(text)
    if not folded[:1].isdecimal():
        return None
    quantity = read_quantity(folded, 0)
    if quantity is None or quantity.shape != "one" or len(quantity.numbers) != 1:
        return None
    number = quantity.numbers[0]
    # Exact until here: 0.1g/L and 100mg/L are the same number.
    plain = Fraction(number.written) * Fraction(10) ** number.power * quantity.unit.factor
    if plain >= _LARGEST or number.high is not None:
        return None
    return Amount(float(plain), _as_text(quantity.unit.dimensions)), quantity.end


def _as_text(dimensions: Dimensions) -> str:
    return " ".join(f"{kind}{power:+d}" for kind, power in dimensions)


def alternatives(name: str, amount: Amount) -> list[Amount]:
    """The amount itself, and as mass where it is molar or the other way, for known substances.

    n = m / M with the molar mass M of the substance in g/mol; base units are g and mol.
    """
    mass = molar_masses().get(name)
    found = [amount]
    if mass is not None and "amount+1" in amount.dimensions:
        found.append(Amount(amount.number * mass, amount.dimensions.replace("amount+1", "mass+1")))
    elif mass is not None and "mass+1" in amount.dimensions:
        found.append(Amount(amount.number / mass, amount.dimensions.replace("mass+1", "amount+1")))
    # Dimensions are kept sorted by kind.
    return [Amount(a.number, " ".join(sorted(a.dimensions.split()))) for a in found]
