"""One line of training data, and the split that it belongs to."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

Split = Literal["train", "dev", "test"]

_HELD_OUT = 5
"""Of 100 groups, so many are dev, and as many test."""
_GRAM = 5
_ALIKE = 0.9


@dataclass(frozen=True, slots=True)
class Line:
    """``content`` is what a model learns from: ``messages``, or ``prompt`` with ``chosen`` and
    ``rejected``, or ``prompt`` with ``completion`` and ``label``.

    ``group``: what may not stand on both sides of a split (a disease, a patient).  ``origin``:
    where the line comes from, kept beside it.
    """

    content: dict[str, Any]
    group: str
    origin: dict[str, Any]

    @property
    def split(self) -> Split:
        """Told by the group alone, so that it is the same in every build."""
        place = int(hashlib.sha256(self.group.encode()).hexdigest(), 16) % 100
        if place < _HELD_OUT:
            return "test"
        return "dev" if place < 2 * _HELD_OUT else "train"

    def written(self) -> str:
        """As a line of JSON."""
        row = {**self.content, "origin": self.origin}
        return json.dumps(row, ensure_ascii=False, separators=(",", ":"))


def message(role: Literal["system", "user", "assistant"], content: str) -> dict[str, str]:
    """A message of a chat."""
    return {"role": role, "content": content}


def texts(content: Any) -> Iterator[str]:
    """Every text of a line, roles left out."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, dict):
        for name, value in content.items():
            if name != "role":
                yield from texts(value)
    elif isinstance(content, list):
        for item in content:
            yield from texts(item)


def distinct(lines: Iterable[Line]) -> tuple[list[Line], int]:
    """The lines without those that say the same, and how many those were.

    The same: equal but for white space and punctuation, or questions of one group with a Jaccard
    index of their runs of five characters of 0.9 and more (Broder 1997).  Two preferences differ by
    a word and teach different things.
    """
    kept: list[Line] = []
    seen: set[str] = set()
    of_group: dict[str, list[frozenset[str]]] = {}
    dropped = 0
    for line in lines:
        folded = _folded(line)
        grams = (
            frozenset[str]()
            if "prompt" in line.content
            else frozenset(folded[i : i + _GRAM] for i in range(max(1, len(folded) - _GRAM + 1)))
        )
        others = of_group.setdefault(line.group, [])
        if folded in seen or any(_alike(grams, other) for other in others):
            dropped += 1
            continue
        seen.add(folded)
        others.append(grams)
        kept.append(line)
    return kept, dropped


def _folded(line: Line) -> str:
    return re.sub(r"[\W_]+", "", "\n".join(texts(line.content))).casefold()


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    if not one or min(len(one), len(other)) < _ALIKE * max(len(one), len(other)):
        return False
    return len(one & other) >= _ALIKE * len(one | other)
