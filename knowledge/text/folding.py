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
_CACHE: dict[int, str] = dict(_DASHES)


def fold(text: str) -> str:
    """``text`` in one spelling, code point by code point (``len(fold(t)) == len(t)``)."""
    for character in set(text):
        code = ord(character)
        if code not in _CACHE:
            _CACHE[code] = _fold_character(character)
    return text.translate(_CACHE)
