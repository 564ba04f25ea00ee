"""A value from one unit to another, by the analyte's molar mass where mass becomes amount."""

from __future__ import annotations

from functools import cache, lru_cache
from importlib.resources import files

from knowledge.text.quantity import quantities
from knowledge.text.units import Unit

PASCALS_OF_MMHG = 133.322
_MASS, _AMOUNT = "mass", "amount"
_PRESSURES = ("mercury", "pascals")


class UnitMismatch(ValueError):
    """Two units that do not measure the same."""


@cache
def molar_masses() -> dict[str, float]:
    """Analyte → g/mol."""
    text = (files("assistant.calculators") / "data" / "molar_masses.tsv").read_text("utf-8")
    rows = (line.split("\t") for line in text.splitlines() if line and not line.startswith("#"))
    return {name: float(mass) for name, mass in rows}


@lru_cache(maxsize=512)
def read(written: str) -> tuple[Unit, float] | None:
    """A unit as it is written and how many base units it is, powers of ten (10^9/L) included.

    None for no unit and for what is none.
    """
    bare = written.strip()
    if not bare:
        return None
    found = quantities(f"1×{bare}" if bare.startswith("10") else f"1{bare}")
    if not found or not found[0].unit or len(found[0].base) != 1:
        return None
    return found[0].unit, float(found[0].base[0])


def convert(value: float, written: str, wanted: str, analyte: str = "") -> float:
    """``value``, which is in ``written``, in ``wanted``.

    An empty ``wanted`` takes the value as it is.  Raises `UnitMismatch` where the two do not
    measure the same, and where a unit is missing.
    """
    if not wanted or written.strip() == wanted:
        return value
    have, want = read(written), read(wanted)
    if have is None or want is None:
        raise UnitMismatch(f"单位“{written or '（未写）'}”不能换算为 {wanted}。")
    factor = have[1] / want[1]
    if have[0].converts_to(want[0]):
        return value * factor
    ours, theirs = dict(have[0].dimensions), dict(want[0].dimensions)
    mass = molar_masses().get(analyte)
    if mass and _without(ours, _MASS) == _without(theirs, _AMOUNT) is not None:
        return value * factor / mass
    if mass and _without(ours, _AMOUNT) == _without(theirs, _MASS) is not None:
        return value * factor * mass
    if {have[0].kind, want[0].kind} == set(_PRESSURES):
        mercury = have[0].kind == _PRESSURES[0]
        return value * factor * (PASCALS_OF_MMHG if mercury else 1 / PASCALS_OF_MMHG)
    raise UnitMismatch(f"单位“{written}”不能换算为 {wanted}。")


def _without(dimensions: dict[str, int], kind: str) -> frozenset[tuple[str, int]] | None:
    """The other dimensions, where this one stands above the line."""
    if dimensions.get(kind) != 1:
        return None
    return frozenset(item for item in dimensions.items() if item[0] != kind)
