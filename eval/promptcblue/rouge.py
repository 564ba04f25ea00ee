"""Rouge-L over Chinese characters and Latin words.

The text is cut as BERT's basic tokenizer cuts it before word pieces: control characters go, each
CJK character and each punctuation mark is a token of its own, the rest is lower-cased, freed of
accents and cut at white space.  F1 = 2PR / (P + R + 1e-8) over the longest common subsequence of
the two token lists (Lin 2004), the small constant as in the ``rouge-chinese`` package.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

NOTHING = ("无", "。")
"""The tokens that stand for an empty text."""

_CJK = (
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF),
    (0x2F800, 0x2FA1F),
)


def tokens(text: str) -> tuple[str, ...]:
    """The tokens of ``text``; `NOTHING` where it has none."""
    spaced = "".join(_spaced(character) for character in text)
    cut: list[str] = []
    for word in unicodedata.normalize("NFC", spaced).split():
        bare = unicodedata.normalize("NFD", word.lower())
        kept = (c for c in bare if unicodedata.category(c) != "Mn")
        cut.extend("".join(f" {c} " if _is_punctuation(c) else c for c in kept).split())
    return tuple(cut) or NOTHING


def _spaced(character: str) -> str:
    if character in "\t\n\r":
        return " "
    category = unicodedata.category(character)
    if character == "\ufffd" or category[0] == "C":
        return ""
    if category == "Zs":
        return " "
    code = ord(character)
    if any(low <= code <= high for low, high in _CJK):
        return f" {character} "
    return character


def _is_punctuation(character: str) -> bool:
    """Unicode punctuation, and the ASCII symbols that Unicode counts otherwise, like ``$``."""
    if "!" <= character <= "~":
        return not character.isalnum()
    return unicodedata.category(character)[0] == "P"


def rouge_l(answer: Sequence[str], gold: Sequence[str]) -> float:
    """F1 over the longest common subsequence, between 0 and 1; both have tokens."""
    common = _common_length(answer, gold)
    precision, recall = common / len(answer), common / len(gold)
    return 2.0 * precision * recall / (precision + recall + 1e-8)


def _common_length(first: Sequence[str], second: Sequence[str]) -> int:
    """The length of the longest common subsequence, by bit-parallel rows (Hyyrö 2004)."""
    places: dict[str, int] = {}
    for place, token in enumerate(first):
        places[token] = places.get(token, 0) | 1 << place
    every = (1 << len(first)) - 1
    row = every
    for token in second:
        match = row & places.get(token, 0)
        row = ((row + match) | (row - match)) & every
    return len(first) - row.bit_count()
