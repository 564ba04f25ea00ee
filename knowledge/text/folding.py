"""One spelling for characters that mean the same, without moving any offset.

Full-width letters, digits and punctuation become their half-width forms, Latin letters lower case,
traditional characters simplified ones, every dash a hyphen and µ the letter u.  The result always
has the length of the input, so an offset into one is an offset into the other.

Superscript digits stay what they are: 10³ is no 103.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from importlib.resources import files

SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−－"), "-")
# The Chinese comma lists findings differently from the ASCII one only by keyboard.
_KEPT = {
    "，": ",", "；": ";", "：": ":", "（": "(", "）": ")", "？": "?", "！": "!", "\u3000": " ",
    "︰": ":", "∶": ":", "µ": "u", "μ": "u", "∼": "~", "〜": "~", "⁓": "~", "＊": "*", "∗": "*",
}  # fmt: skip
_FIRST_HAN = "\u3400"


@cache
def _simplified() -> dict[str, str]:
    """Traditional → simplified; read when the first Chinese character is met."""
    text = (files("knowledge.text") / "data" / "traditional.tsv").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in text.splitlines() if not line.startswith("#"))
    return {written: simple for simple, forms in rows for written in forms}


def _fold_character(character: str) -> str:
    if character in _KEPT:
        return _KEPT[character]
    if character in SUPERSCRIPTS:
        return character
    folded = unicodedata.normalize("NFKC", character).lower().translate(_DASHES)
    folded = folded if len(folded) == 1 else character
    return _simplified().get(folded, folded) if folded >= _FIRST_HAN else folded


def simplified(text: str) -> str:
    """``text`` with simplified characters for traditional ones and nothing else changed."""
    return "".join(_simplified().get(c, c) for c in text) if not text.isascii() else text


class _Folded(dict[int, str]):
    """Code points → folded characters, each worked out when it is first met."""

    def __missing__(self, code: int) -> str:
        self[code] = folded = _fold_character(chr(code))
        return folded


_FOLDED = _Folded(_DASHES)


def fold(text: str) -> str:
    """``text`` in one spelling, code point by code point (``len(fold(t)) == len(t)``)."""
    return text.lower() if text.isascii() else text.translate(_FOLDED)
