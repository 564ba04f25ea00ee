"""One spelling for characters that mean the same, without moving any offset.

Full-width letters, digits and punctuation become their half-width forms and Latin letters become
lower case.  The result always has the length of the input, so an offset into one is an offset into
the other.
"""

from __future__ import annotations

import unicodedata

_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−－"), "-")


def _fold_character(character: str) -> str:
    if character in _KEPT:
        return _KEPT[character]
    folded = unicodedata.normalize("NFKC", character).lower()
    return folded if len(folded) == 1 else character


# The Chinese comma lists findings differently from the ASCII one only by keyboard.
_KEPT = {"，": ",", "；": ";", "：": ":", "（": "(", "）": ")", "？": "?", "！": "!", "\u3000": " "}


class _Folded(dict[int, str]):
    """Code points to what they fold to, filled as they are met."""

    def __missing__(self, code: int) -> str:
        folded = self[code] = _fold_character(chr(code))
        return folded


_CACHE = _Folded(_DASHES)


def fold(text: str) -> str:
    """``text`` in one spelling, code point by code point (``len(fold(t)) == len(t)``)."""
    return text.translate(_CACHE)
