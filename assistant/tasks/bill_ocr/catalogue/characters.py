"""Which characters are taken for one another: by the ear (pinyin) or by the eye (lookalikes)."""

from __future__ import annotations

from functools import cache, lru_cache
from importlib.resources import files


@cache
def _groups() -> dict[str, frozenset[int]]:
    text = files("assistant.tasks.bill_ocr").joinpath("data/catalogue_lookalikes.txt")
    found: dict[str, set[int]] = {}
    lines = text.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        if not line.startswith("#"):
            for character in line.strip():
                found.setdefault(character, set()).add(number)
    return {character: frozenset(numbers) for character, numbers in found.items()}


def look_alike(one: str, other: str) -> bool:
    """Whether print is misread so."""
    groups = _groups()
    return not groups.get(one, frozenset()).isdisjoint(groups.get(other, frozenset()))


@lru_cache(maxsize=20_000)
def syllables(character: str) -> tuple[str, ...]:
    """The readings of a character without tones; () where it is no Chinese character."""
    if character < "\u3400":
        return ()
    from pypinyin import Style, pinyin

    found = pinyin(character, style=Style.NORMAL, heteronym=True, errors="ignore")
    return tuple(found[0]) if found else ()


def sound_alike(one: str, other: str) -> bool:
    """Whether two characters share a reading, tones aside."""
    return bool(set(syllables(one)) & set(syllables(other)))
