"""Medical words → plain ones, from a table: a word is replaced, or explained in brackets once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


def table(name: str) -> list[list[str]]:
    """The rows of a table of this task; lines that begin with # are remarks."""
    text = (files("assistant.tasks.patient_version") / "data" / name).read_text("utf-8")
    return [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]


@cache
def pairs(name: str) -> Mapping[str, str]:
    """A table of two columns."""
    return {row[0]: row[1] for row in table(name)}


@cache
def _words(kind: str) -> tuple[re.Pattern[str], Mapping[str, str]]:
    known = {word: plain for word, own, plain in table("glossary.tsv") if own == kind}
    longest = sorted(known, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest))), known


@dataclass(frozen=True, slots=True)
class Wording:
    """A line in plain words: ``bare`` is what it claims, ``shown`` has the explanations as well."""

    bare: str
    shown: str


def plain(text: str, explained: set[str]) -> Wording:
    """``text`` with plain words; ``explained`` are the words that need no explanation any more, and
    grows by those that are explained here."""
    pattern, known = _words("say")
    bare = pattern.sub(lambda hit: known[hit[0]], text)
    return Wording(bare, explain(bare, explained))


def explain(text: str, explained: set[str]) -> str:
    """``text`` with, behind it, plain words for each medical one that had none so far.

    They stand at the end, as a bracket within 右胫腓骨干骨折 would tear the name apart.
    """
    pattern, known = _words("explain")
    words = [w for w in dict.fromkeys(pattern.findall(text)) if w not in explained]
    explained.update(words)
    if not words:
        return text
    if words == [text]:
        return f"{text}（{known[text]}）"
    return f"{text}（{'；'.join(f'{word}：{known[word]}' for word in words)}）"


def explainable(word: str) -> bool:
    """Whether the table explains a word or a part of it."""
    return _words("explain")[0].search(word) is not None
