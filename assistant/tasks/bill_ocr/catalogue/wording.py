"""A written name taken apart: what it is, its form, strength, marks, sides, and its maker."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

from assistant.tasks.bill_ocr.catalogue.entry import Written
from assistant.tasks.bill_ocr.catalogue.specification import (
    NO_SPECIFICATION,
    Specification,
    read_specification,
    words,
)
from knowledge.text.folding import fold

_MARK = re.compile(r"[a-z0-9]+(?:[-./+][a-z0-9]+)*")
_BRACKETED = re.compile(r"[(\[【〔「<《]([^()\[\]【】〔〕「」<>《》]*)[)\]】〕」>》]")
_SEPARATORS = re.compile(r"[\s,;:、·*/|_.\"'()\[\]【】〔〕「」<>《》+~^%#&=-]+")
_NUMERALS = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii")
_ROMAN = {chr(0x2160 + n): word for n, word in enumerate(_NUMERALS)}
_ROMAN |= {chr(0x2170 + n): word for n, word in enumerate(_NUMERALS)}
# Sizes that are written apart from the name: 3-0, 16fr, L, A型.
_SIZE = re.compile(
    r"(?<![^\s])(?:[0-9]{1,2}-0|[0-9.]{1,4} ?(?:fr|f|ch|号|#)|x{0,3}[sml]|[a-z]型)(?![^\s])"
)
_ALIKE = str.maketrans({"o": "0", "l": "1", "i": "1", "|": "1"})
_FOR_INJECTION = "注射用"


@dataclass(frozen=True, slots=True)
class Wording:
    """``core`` is the name without form, strength, maker and signs; ``full`` has the form.

    ``sizes`` are those of the marks that tell a size: of a specification, or apart from a name.
    """

    core: str
    full: str
    form: str = ""
    route: str = ""
    specification: Specification = NO_SPECIFICATION
    marks: frozenset[str] = frozenset()
    sizes: frozenset[str] = frozenset()
    sides: frozenset[tuple[int, int]] = frozenset()
    maker: str = ""
    maker_full: str = ""


def _rows(name: str) -> list[list[str]]:
    text = files("assistant.tasks.bill_ocr").joinpath(f"data/{name}").read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]


@cache
def _forms() -> tuple[tuple[str, str, str], ...]:
    """(word, form, route), longest first."""
    found = [
        (fold(word), form, route)
        for wordings, form, route in _rows("catalogue_forms.tsv")
        for word in {*wordings.split("|"), form}
    ]
    return tuple(sorted(found, key=lambda row: (-len(row[0]), row[0])))


@cache
def _form_rows() -> dict[str, tuple[str, str, str]]:
    return {row[0]: row for row in reversed(_forms())}


@cache
def _form_pattern() -> re.Pattern[str]:
    """The longest form at the end of a name."""
    return re.compile(f"(?:{'|'.join(re.escape(row[0]) for row in _forms())})$")


@cache
def _head_pattern() -> re.Pattern[str]:
    """The longest form, of two characters or more, at the head of a name."""
    return re.compile("|".join(re.escape(row[0]) for row in _forms() if len(row[0]) > 1))


@cache
def _contrasts() -> tuple[tuple[int, tuple[tuple[str, int], ...]], ...]:
    found = []
    for line, row in enumerate(_rows("catalogue_contrasts.tsv")):
        sides = [(fold(word), side) for side, cell in enumerate(row) for word in cell.split("|")]
        found.append((line, tuple(sorted(sides, key=lambda pair: -len(pair[0])))))
    return tuple(found)


@cache
def synonyms() -> tuple[tuple[str, str], ...]:
    """(as written, as lists have it), longest first."""
    found = [(fold(row[0]), fold(row[1])) for row in _rows("catalogue_synonyms.tsv")]
    return tuple(sorted(found, key=lambda pair: -len(pair[0])))


@lru_cache(maxsize=50_000)
def maker_core(name: str) -> str:
    """A maker's name without what all makers are called."""
    bare = _SEPARATORS.sub("", fold(name))
    for word in words()["maker_words"]:
        bare = bare.replace(word, "") if bare != word else bare
    return bare


def read_wording(written: Written, makers: Collection[str] = ()) -> Wording:
    """``written`` taken apart; ``makers`` are those (`maker_core`) that a name may hold.

    A column that was given beside the name goes before what the name tells.
    """
    told, rest = read_specification(written.name)
    beside, beside_rest = read_specification(written.specification)
    specification = Specification(
        {**told.strengths, **beside.strengths}, beside.pack if beside.pack > 1 else told.pack
    )
    maker = maker_core(written.maker)
    rest, found = _maker(_roman(rest), makers)
    marked = f"{rest} {_roman(beside_rest)}"
    full = _joined(_SIZE.sub(" ", rest)) or _joined(rest)
    form, route, core = _form(full, fold(written.form))
    return Wording(
        core=core,
        full=full,
        form=form,
        route=route,
        specification=specification,
        marks=marks(marked),
        sizes=marks(f"{' '.join(_SIZE.findall(rest))} {_roman(beside_rest)}"),
        sides=_sides(full),
        maker=maker or found,
        maker_full=fold(written.maker).replace(" ", ""),
    )


def marks(text: str) -> frozenset[str]:
    """Latin words and numbers left in a name (b12, hcv, 3-0), spelled as print confuses them."""
    return frozenset(mark.translate(_ALIKE) for mark in _MARK.findall(text))


def _roman(text: str) -> str:
    return "".join(_ROMAN.get(character, character) for character in text)


def _joined(text: str) -> str:
    return _SEPARATORS.sub("", text)


def _maker(text: str, makers: Collection[str]) -> tuple[str, str]:
    """The text without a maker that stands in brackets, apart, or at its head."""
    if not makers:
        return text, ""
    for part in [*_BRACKETED.findall(text), *text.split()]:
        core = maker_core(part)
        if len(core) >= 2 and core in makers and core != _joined(text):
            return text.replace(part, " ", 1), core
    bare = text.lstrip()
    for length in range(min(12, len(bare) - 2), 1, -1):
        head = bare[:length]
        if maker_core(head) in makers and len(maker_core(head)) >= 2:
            return bare[length:], maker_core(head)
    return text, ""


def _form(joined: str, given: str) -> tuple[str, str, str]:
    """(form, route, name without it).  A form column decides, where it is a form that is known."""
    ending = _form_pattern().search(joined)
    at_end = _form_rows()[ending[0]] if ending and ending.start() > 0 else None
    if ending is not None and ending.start() < 2:
        # The longest one would leave no name; a shorter one may.
        at_end = next(
            (r for r in _forms() if 2 <= len(joined.removesuffix(r[0])) < len(joined)), at_end
        )
    at_head = None
    if at_end is None:
        beginning = _head_pattern().match(joined)
        at_head = _form_rows()[beginning[0]] if beginning and len(joined) > 4 else None
    core = joined
    if at_end is not None:
        core = joined[: -len(at_end[0])]
    elif at_head is not None:
        core = joined[len(at_head[0]) :]
    column = _form_rows().get(given)
    chosen = column or at_end or at_head
    if column is not None and at_end is not None and at_end[1] not in (column[1], "片"):
        chosen = at_end
    if core.startswith(_FOR_INJECTION) and len(core) > len(_FOR_INJECTION):
        core = core[len(_FOR_INJECTION) :]
    if len(core) < 2 and len(joined) > 2:
        return "", "", joined
    return (chosen[1], chosen[2], core) if chosen is not None else ("", "", core)


@cache
def _any_side() -> re.Pattern[str]:
    return re.compile("|".join(re.escape(word) for _, told in _contrasts() for word, _ in told))


def _sides(text: str) -> frozenset[tuple[int, int]]:
    found: set[tuple[int, int]] = set()
    if _any_side().search(text) is None:
        return frozenset()
    for line, told in _contrasts():
        rest = text
        for word, side in told:
            if word in rest:
                found.add((line, side))
                rest = rest.replace(word, " ")
    return frozenset(found)
