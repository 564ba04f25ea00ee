"""How hard a text is to read: the length of its sentences and its unexplained medical words.

The limits are this program's own (a line of 24 characters is read at a glance, one of 40 is not);
no study of readers stands behind them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from assistant.tasks.patient_version.draft import Level
from assistant.tasks.patient_version.lay import explainable, table
from knowledge.text.synonyms import TermKind
from knowledge.text.terms import find_terms

EASY, FAIR = 24.0, 40.0
MOST_UNEXPLAINED = 2
_MEDICAL = frozenset(
    {TermKind.DISEASE, TermKind.PROCEDURE, TermKind.TEST, TermKind.SIGN, TermKind.IMAGING}
)
_BRACKETS = re.compile(r"（[^（）]*）")
_SENTENCE = re.compile(r"[^。！？；\n]+")
_EVERYDAY = frozenset(row[0] for row in table("everyday.tsv"))


def level(lines: Iterable[str], *, explained: bool) -> Level:
    """The level of a text; ``explained``: the glossary's explanations stand in it."""
    text = _BRACKETS.sub("", "\n".join(lines))
    sentences = [s.strip() for s in _SENTENCE.findall(text) if s.strip()]
    terms = dict.fromkeys(text[m.start : m.end] for m in find_terms(text) if m.kind in _MEDICAL)
    hard = [t for t in terms if t not in _EVERYDAY]
    left = [t for t in hard if not (explained and explainable(t))]
    lengths = [len(s) for s in sentences] or [0]
    mean = sum(lengths) / len(lengths)
    grade = "hard"
    if mean <= EASY and len(left) <= MOST_UNEXPLAINED:
        grade = "easy"
    elif mean <= FAIR and len(left) <= max(MOST_UNEXPLAINED, len(hard) // 2):
        grade = "fair"
    return Level(
        sentences=len(sentences),
        mean=round(mean, 1),
        longest=max(lengths),
        terms=len(hard),
        unexplained=left,
        grade=grade,
    )
