"""Units as they are read: of laboratory sheets without their stroke, with a lost power; of items
as a character that is like the one that is meant."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from assistant.tasks.bill_ocr.labels import table_of

_POWER = re.compile(r"[×xX*]?10(?P<mark>[°º*^]?)(?P<power>12|9|6|3|2|°)?(?P<stroke>/?)[Ll1I|]")
CLASSES = "甲乙丙"
"""Of the insurer."""
_MARKED = "9"
"""A small raised 9 is what is read as a degree; of counts in a litre it is the usual power."""


def tidy_unit(text: str) -> str:
    """The unit meant: gL is g/L, 109/L and ×10°L are 10^9/L, /项 is 项; any other as it is.

    A power of which nothing was read stays as it is: 10/L could be any.
    """
    plain = text.rstrip(".").strip("/ ")
    if found := _POWER.fullmatch(plain):
        power = found["power"] or ("" if found["mark"] in ("", "*", "^") else _MARKED)
        # Of the raised 12 the 1 stands so near the 10 that it is taken for part of it.
        power = {"2": "12", "°": _MARKED}.get(power, power)
        return f"10^{power}/L" if power else plain
    # The only unit of one capital letter is a second that was read large.
    return "s" if plain == "S" else _without_stroke().get(plain, plain)


def only_of(known: str, read: str, others: Iterable[str]) -> str:
    """The character of ``known`` that a single character was also read as, where it is none itself
    and only one was: 盘 that may be 盒, z that may be 乙; "" where nothing is clear."""
    if len(read) != 1 or read in known:
        return ""
    found = {other for other in others if len(other) == 1 and other in known}
    return found.pop() if len(found) == 1 else ""


@cache
def _without_stroke() -> dict[str, str]:
    units = [unit for (row,) in table_of("units.tsv") for unit in row.split("|")]
    return {unit.replace("/", ""): unit for unit in units}
