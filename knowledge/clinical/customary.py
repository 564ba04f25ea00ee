"""Names that follow from an entry's own by customary words: 心力衰竭 is written 心衰 too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib.resources import files

from knowledge.clinical.entry import Entry
from knowledge.text.folding import fold

MOST = 60
"""Characters of a name, as `Entry` allows."""
SHORTEST = 2


def with_customary_names(entries: Sequence[Entry]) -> list[Entry]:
    """The entries with the names that follow; none that is another entry's already, or that two
    would share."""
    taken = {fold(name): entry.name for entry in entries for name in (entry.name, *entry.names)}
    shared: set[str] = set()
    proposed: list[list[str]] = []
    for entry in entries:
        names = []
        for name in dict.fromkeys(_names_from((entry.name, *entry.names))):
            owner = taken.setdefault(fold(name), entry.name)
            if owner == entry.name:
                names.append(name)
            else:
                shared.add(fold(name))
        proposed.append(names)
    own = {fold(name) for entry in entries for name in (entry.name, *entry.names)}
    return [
        entry.model_copy(
            update={
                "names": (
                    *entry.names,
                    *(n for n in names if fold(n) not in own and fold(n) not in shared),
                )
            }
        )
        for entry, names in zip(entries, proposed, strict=True)
    ]


def _names_from(names: Sequence[str]) -> Iterator[str]:
    for name in names:
        for full, customary in customary_words():
            for word in customary if full in name else ():
                # 子宫颈 has 宫颈 in it already.
                said = full in word and word in name
                other = name.replace(full, word)
                if not said and SHORTEST <= len(other) <= MOST:
                    yield other


@lru_cache(maxsize=1)
def customary_words() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Word → how it is written too."""
    text = (files("knowledge.clinical") / "customary.tsv").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in text.splitlines() if line and not line.startswith("#"))
    return tuple((full, tuple(others.split("|"))) for full, others in rows)
