"""What names are found by: characters, pairs of characters, and pairs of syllables."""

from __future__ import annotations

from assistant.tasks.bill_ocr.catalogue.characters import syllables


def grams(name: str) -> list[str]:
    """The grams of a folded name, each once."""
    sounds = [found[0] if (found := syllables(c)) else c for c in name]
    edged = f"^{name}$"
    found = dict.fromkeys(name)
    found |= dict.fromkeys(edged[at : at + 2] for at in range(len(edged) - 1))
    found |= dict.fromkeys(f"{a} {b}" for a, b in zip(sounds, sounds[1:], strict=False))
    return list(found)
