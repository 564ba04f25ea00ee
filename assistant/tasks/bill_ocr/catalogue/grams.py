"""What names are found by: characters, pairs of characters, and pairs of syllables."""

from __future__ import annotations

from itertools import pairwise

from assistant.tasks.bill_ocr.catalogue.characters import syllables


def grams(name: str) -> list[str]:
    """The grams of a folded name, each once."""
    sounds = [(*syllables(c), c)[0] for c in name]
    edged = f"^{name}$"
    found: dict[str, None] = dict.fromkeys(name)
    found |= dict.fromkeys(edged[at : at + 2] for at in range(len(edged) - 1))
    found |= dict.fromkeys(f"{a} {b}" for a, b in pairwise(sounds))
    return list(found)
