"""How a note means a thing, in five letters, so that one index serves every question.

Polarity ``p``/``a``, certainty ``c``/``u``, temporality ``c``/``p``/``h``, subject ``p``/``f``, and
``y`` where the patient does not bear the drug, else ``n``: ``pccpn`` is what the patient has now.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import product

from assistant.tasks.structuring.entity import Entity

_LETTERS = ("pa", "cu", "cph", "pf", "ny")
_ZH = {
    "a": "否认",
    "u": "可疑",
    "p": "既往",
    "h": "假设",
    "f": "家属",
    "y": "过敏",
}
_MEANINGS: dict[str, tuple[str, str, str, str, str]] = {
    "present": ("p", "c", "cp", "p", "n"),
    "denied": ("a", "cu", "cp", "p", "n"),
    "uncertain": ("p", "u", "cp", "p", "n"),
    "past": ("p", "c", "p", "p", "n"),
    "current": ("p", "c", "c", "p", "n"),
    "family": ("p", "cu", "cp", "f", "n"),
    "allergy": ("p", "cu", "cp", "p", "y"),
    "measured": ("pa", "cu", "cp", "p", "ny"),
    "any": _LETTERS,
}


def standing_of(entity: Entity) -> str:
    """The five letters of an entity.  A finding that was healed or resected is past."""
    past = "p" if entity.over and entity.temporality == "current" else entity.temporality[0]
    subject, allergen = entity.subject[0], "y" if entity.allergen else "n"
    return f"{entity.polarity[0]}{entity.certainty[0]}{past}{subject}{allergen}"


def codes(meaning: str) -> Collection[str]:
    """All letters that ``meaning`` (present, denied, uncertain, …) stands for."""
    return ["".join(letters) for letters in product(*_MEANINGS[meaning])]


def in_words(standing: str) -> str:
    """What is out of the ordinary about a standing, in Chinese; "" for what the patient has."""
    temporality = standing[2] if standing[2] != "c" else ""
    odd = [standing[0].replace("p", ""), standing[1].replace("c", ""), temporality]
    odd += [standing[3].replace("p", ""), standing[4].replace("n", "")]
    return "、".join(_ZH[letter] for letter in odd if letter)
