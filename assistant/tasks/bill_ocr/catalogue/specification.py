"""Strengths and packs of a specification, in base units: 0.5g is 500mg, 0.25g*24粒 is 24 of them.

Numbers are read with what print does to them: O for 0, l for 1 inside of a number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import yaml

from knowledge.text.folding import fold
from knowledge.text.units import read_unit

_NUMBER = re.compile(r"(?<![a-z0-9.\-])[0-9][0-9ol]*(?:[.,][0-9ol]+)?|(?<![a-z0-9.])o[.,][0-9ol]+")
_TENS = (("百万", 1_000_000), ("万", 10_000), ("亿", 100_000_000), ("千", 1_000))
_FALLEN = str.maketrans({"o": "0", "l": "1", ",": "."})
_BY = re.compile(r"(?<=[0-9a-z\u4e00-\u9fff]) ?[x×✕╳] ?(?=[0-9])")
_UNITS_ALIKE = {"international units": "units"}
_LARGEST = 10**15


@cache
def words() -> dict[str, Any]:
    """The word lists of names and specifications."""
    text = files("assistant.tasks.bill_ocr").joinpath("data/catalogue_words.yaml")
    loaded: dict[str, Any] = yaml.safe_load(text.read_text(encoding="utf-8"))
    return loaded


@cache
def _pack_units() -> tuple[str, ...]:
    return tuple(words()["pack_units"])


@dataclass(frozen=True, slots=True)
class Specification:
    """``strengths``: what is measured → amounts in base units.  ``pack``: how many are in it."""

    strengths: dict[str, frozenset[Fraction]] = field(default_factory=dict)
    pack: int = 1

    def __bool__(self) -> bool:
        return bool(self.strengths) or self.pack > 1

    def key(self) -> str:
        """One spelling of the strengths."""
        return ";".join(
            f"{kind}={'+'.join(map(str, sorted(amounts)))}"
            for kind, amounts in sorted(self.strengths.items())
        )

    def contradicts(self, other: Specification) -> bool:
        """Whether something that both tell differs."""
        for kind in self.strengths.keys() & other.strengths.keys():
            mine, theirs = self.strengths[kind], other.strengths[kind]
            if not (mine <= theirs or theirs <= mine):
                return True
        return self.pack > 1 and other.pack > 1 and self.pack != other.pack

    def tells_as(self, other: Specification) -> int:
        """How many things both tell alike; a pack counts as one."""
        shared = len(self.strengths.keys() & other.strengths.keys())
        return shared + (self.pack > 1 and self.pack == other.pack)


NO_SPECIFICATION = Specification()


@lru_cache(maxsize=50_000)
def of_key(key: str) -> Specification:
    """The strengths that have this `Specification.key`."""
    parts = (part.partition("=") for part in key.split(";") if part)
    return Specification(
        {kind: frozenset(map(Fraction, amounts.split("+"))) for kind, _, amounts in parts}
    )


def read_specification(text: str) -> tuple[Specification, str]:
    """What ``text`` tells of strength and pack, and the text without it (folded)."""
    folded = _BY.sub("*", fold(text))
    found: dict[str, set[Fraction]] = {}
    pack, spans = 1, []
    for number in _NUMBER.finditer(folded):
        digits = number[0].translate(_FALLEN)
        end = number.end()
        factor = 1
        for word, times in _TENS:
            if folded.startswith(word, end):
                factor, end = times, end + len(word)
                break
        counted = next((u for u in _pack_units() if folded.startswith(u, end)), None)
        if counted and digits.isdecimal() and 0 < int(digits) <= 100_000:
            pack *= int(digits)
            spans.append((number.start(), end + len(counted)))
            continue
        unit = read_unit(folded, end)
        if unit is None or Fraction(digits) > _LARGEST:
            continue
        measured, after = unit
        plain = [kind for kind, power in measured.dimensions if power > 0 and kind != "times"]
        if len(plain) != 1:
            continue
        kind = _UNITS_ALIKE.get(plain[0], plain[0])
        if any(k in ("volume",) and power < 0 for k, power in measured.dimensions):
            kind = f"{kind}/volume"
        found.setdefault(kind, set()).add(Fraction(digits) * factor * measured.factor)
        spans.append((number.start(), after))
    strengths = {kind: frozenset(amounts) for kind, amounts in found.items()}
    return Specification(strengths, min(pack, 10**9)), _without(folded, spans)


def _without(folded: str, spans: list[tuple[int, int]]) -> str:
    rest, at = [], 0
    for start, end in sorted(spans):
        if start >= at:
            rest.append(folded[at:start])
            at = end
    rest.append(folded[at:])
    return " ".join(part for part in (piece.strip() for piece in rest) if part)
