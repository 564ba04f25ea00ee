"""Units as they are written: μg/(kg·min), 次/分, mL/min/1.73m², ㎎.

``data/units.tsv`` has one unit a row; a composed unit is read from its parts.  Two units are the
same when their dimensions are, and their factors tell how many of one make the other, exactly.
Mass is never volume, U never IU, mmHg never kPa.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib.resources import files

from knowledge.text.folding import SUPERSCRIPTS, fold

Dimensions = tuple[tuple[str, int], ...]
"""What a unit measures: kinds with their powers, sorted; () for a bare number."""

_LATIN = re.compile(r"[a-z]")
# 20mgqd, 0.5gtid: what may stand right behind a unit of letters.
_GLUED = re.compile(r"(?:q\d|q[dnwho]|[bt]id|[bt]iw|po|iv|im|ih|sc|h|sig|st|prn|x\d)(?![a-z]{3})")
_DIGITS_THEN_LETTER = re.compile(r"\d+[a-z]")
_COUNT = re.compile(r"\d{1,3}(?!\d)")
_EXPONENT = re.compile(rf"-?[1-3](?!\d)|[⁻-]?[{SUPERSCRIPTS[1:4]}]")
_TIMES = "·.*⋅•・x×"
_LONGEST = 8
# 80次/分 and 5个/HP say no more than 80/分 and 5/HP.
_WHOLE = frozenset({"time", "volume", "body", "high field"})
_COUNTED = frozenset({"times", "items"})


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit: its UCUM ``code``, how the product shows it, what it measures, and how many of the
    base unit it is.  The unit of a bare number is `NONE`."""

    code: str = ""
    shown: str = ""
    dimensions: Dimensions = ()
    factor: Fraction = Fraction(1)

    def __bool__(self) -> bool:
        return bool(self.code)

    @property
    def kind(self) -> str:
        """The kind above the line: "mass" for mg and for mg/L; "" where there is none."""
        return next((kind for kind, power in self.dimensions if power > 0), "")

    def measures(self, *kinds: str) -> bool:
        """Whether it is a plain unit of one of ``kinds``."""
        return len(self.dimensions) == 1 and self.dimensions[0] in {(kind, 1) for kind in kinds}

    @property
    def is_rate(self) -> bool:
        """Whether it tells how much in a time: mL/h, μg/kg/min, 次/分."""
        return any(kind == "time" and power < 0 for kind, power in self.dimensions)

    def converts_to(self, other: Unit) -> bool:
        """Whether an amount in one can be told in the other."""
        return self.dimensions == other.dimensions


NONE = Unit()


@dataclass(frozen=True, slots=True)
class _Atom:
    code: str
    kind: str
    factor: Fraction
    shown: str
    not_before: str
    below: bool


@cache
def unit_rows() -> list[list[str]]:
    """The rows of the table of units, each with its example in the last column."""
    text = (files("knowledge.text") / "data" / "units.tsv").read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]


@cache
def _atoms() -> dict[str, list[_Atom]]:
    found: dict[str, list[_Atom]] = {}
    for spellings, code, kind, factor, shown, not_before, _ in unit_rows():
        below = kind.startswith("/")
        atom = _Atom(code, kind.strip("/"), Fraction(factor), shown, not_before, below)
        for spelling in spellings.split("|"):
            found.setdefault(spelling, []).append(atom)
    return found


@cache
def _lengths() -> dict[str, list[int]]:
    """First character → the lengths of the spellings that begin with it, longest first."""
    found: dict[str, set[int]] = {}
    for spelling in _atoms():
        found.setdefault(spelling[0], set()).add(len(spelling))
    return {first: sorted(lengths, reverse=True) for first, lengths in found.items()}


def _atom_at(folded: str, at: int, below: bool) -> tuple[_Atom, int] | None:
    for length in _lengths().get(folded[at : at + 1], ()):
        end = at + length
        if end > len(folded):
            continue
        for atom in _atoms().get(folded[at:end], ()):
            if (atom.below and not below) or not _ends(folded, end, atom):
                continue
            # 8分 is a score, 8次/分 a minute.
            if below and atom.kind == "score":
                continue
            return atom, end
    return None


def _ends(folded: str, end: int, atom: _Atom) -> bool:
    """Whether a unit may end here: no letter goes on, no word that begins with its character."""
    following = folded[end : end + 1]
    if not _LATIN.match(folded[end - 1]) or not following:
        return not following or following not in atom.not_before
    if atom.code == "m" and following.isdecimal():
        return False
    if _DIGITS_THEN_LETTER.match(folded, end) and not _GLUED.match(folded, end):
        return False
    return not _LATIN.match(following) or _GLUED.match(folded, end) is not None


@dataclass(slots=True)
class _Composed:
    """A unit being put together."""

    above: list[str]
    under: list[str]
    shown: str
    factor: Fraction
    powers: dict[str, int]

    def add(self, atom: _Atom, power: int, count: int = 1) -> None:
        self.factor *= (atom.factor * count) ** power
        kind, power_of_kind = atom.kind, power
        if atom.code == "/min":
            kind, power_of_kind = "time", -power
        elif kind == "mass" and power < 0:
            # mg/kg is told of a body, and no bare number.
            kind = "weight"
        self.powers[kind] = self.powers.get(kind, 0) + power_of_kind
        code = f"({count}.{atom.code})" if count > 1 else atom.code
        (self.above if power > 0 else self.under).extend([code] * abs(power))

    def unit(self) -> Unit:
        if any(power < 0 for power in self.powers.values()):
            for kind in _COUNTED:
                self.powers[kind] = min(0, self.powers.get(kind, 0))
            self.above = [code for code in self.above if code not in ("{次}", "{个}")]
        code = ".".join(self.above) + "".join(f"/{under}" for under in self.under)
        shown = self.shown.replace("个/", "/")
        kinds = tuple(sorted((kind, power) for kind, power in self.powers.items() if power))
        return Unit(code.replace("//", "/"), shown, kinds, self.factor)


def read_unit(folded: str, at: int) -> tuple[Unit, int] | None:
    """The unit that begins at ``at`` of folded text, with its end; None where none does."""
    parts = _Composed([], [], "", Fraction(1), {})
    end = at
    if folded.startswith("/", at):
        after = None if folded[at + 1 : at + 2].isdecimal() else _below(folded, at, parts)
        # 1/日 is how often, 160/95 a pair.
        if after is None or "time" in parts.powers:
            return None
        end = after
    else:
        first = _atom_at(folded, at, below=False)
        if first is None:
            return None
        atom, end = first
        power, end = _exponent(folded, end)
        parts.add(atom, power)
        parts.shown = atom.shown
    while (after := _below(folded, end, parts)) or (after := _product(folded, end, parts)):
        end = after
    return parts.unit(), end


def _below(folded: str, at: int, parts: _Composed) -> int | None:
    """One part below the line: /L, /24h, /(kg·min), /kg·min."""
    if not folded.startswith("/", at) or len(parts.under) > 3:
        return None
    at += 1
    bracket = folded.startswith("(", at)
    end = _one_below(folded, at + bracket, parts)
    if end is None:
        return None
    while folded[end : end + 1] and folded[end] in _TIMES:
        after = _one_below(folded, end + 1, parts)
        if after is None:
            break
        end = after
    return end + 1 if bracket and folded.startswith(")", end) else end


def _one_below(folded: str, at: int, parts: _Composed) -> int | None:
    found = _atom_at(folded, at, below=True)
    count = None if found else _COUNT.match(folded, at)
    if count:
        found = _atom_at(folded, count.end(), below=True)
        # mg/24h and mg/5ml are units, 80mg/5mg are two doses.
        found = found if found and found[0].kind in _WHOLE else None
    if found is None:
        return None
    atom, end = found
    number = int(count[0]) if count else 1
    if number < 1:
        return None
    parts.add(atom, -1, number)
    parts.shown += f"/{number if number > 1 else ''}{atom.shown}"
    return end


def _product(folded: str, at: int, parts: _Composed) -> int | None:
    """mg·kg-1·d-1: a factor with a negative power."""
    if not folded[at : at + 1] or folded[at] not in _TIMES or len(parts.under) > 3:
        return None
    found = _atom_at(folded, at + 1, below=True)
    if found is None:
        return None
    power, end = _exponent(folded, found[1])
    if power >= 0:
        return None
    parts.add(found[0], power)
    parts.shown += f"/{found[0].shown}"
    return end


def _exponent(folded: str, at: int) -> tuple[int, int]:
    found = _EXPONENT.match(folded, at)
    if found is None or not found[0].startswith(("-", "⁻")):
        return 1, at
    digit = found[0][-1]
    return -(SUPERSCRIPTS.index(digit) if digit in SUPERSCRIPTS else int(digit)), found.end()


_SHOWN_POWER = re.compile(r"10\^(\d{1,2})(?=/)")


def ucum_code(shown: str) -> str:
    """The UCUM code of a unit as the product shows it (10^9/L → 10*9/L); "" where none is."""
    folded = fold(shown)
    power = _SHOWN_POWER.match(folded)
    found = read_unit(folded, power.end() if power else 0)
    if found is None or found[1] != len(folded):
        return ""
    return f"10*{power[1]}{found[0].code}" if power else found[0].code


def spellings() -> Iterator[str]:
    """Every spelling of a single unit, as folded text has it."""
    return iter(_atoms())
