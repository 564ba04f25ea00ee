"""Diagnosis as written → the standard terms that it means: one, several, or none.

Candidates come from character overlap with the terms of a code table, for the wording and for each
of its parts, and from wordings that were coded before.  A ranker
(`knowledge.ranking.boosted_trees`) that was trained on coded diagnoses says how likely each is;
without one a plain rule on the overlap does.
What is not likely enough is left out, so the answer may be empty.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from knowledge.coding.coding import Code, CodeCandidate, plain, plain_all, standard
from knowledge.coding.memory import CodingMemory, Example, Recollection
from knowledge.coding.term_index import Overlap, TermIndex
from knowledge.ranking.boosted_trees import BoostedTrees, Matrix
from knowledge.text.folding import fold

FORMAT = 1
RANKER = "coding-ranker.json"
_LONGEST = 200
"""Characters of a wording that are read; a diagnosis is shorter."""
_PARTS = 8
_MOST = 12
_ABSTAIN = 0.1
"""The best term below the threshold is still given above this: most wordings mean something."""

_PART = re.compile(r"[、;+\n。,\s\"“”?()]|##|待查|待排|伴有?|合并|并|\d+[.、)]")
_GENERAL = re.compile(r"未特指|其他|未分类")
_RULE_THRESHOLD = 0.58


class RankerError(Exception):
    """A ranker file cannot be used; the message says which and what to do."""


@dataclass(frozen=True)
class Ranker:
    """Trees with the threshold chosen for them, and the coded diagnoses that they go with."""

    trees: BoostedTrees
    threshold: float
    examples: tuple[tuple[str, tuple[str, ...]], ...] = field(default=(), repr=False)

    def save(self, path: Path) -> None:
        """Write the file, whole or not at all."""
        record = {
            "format": FORMAT,
            "threshold": self.threshold,
            "ranker": self.trees.as_record(),
            "examples": [[text, list(terms)] for text, terms in self.examples],
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(record, ensure_ascii=False), encoding="utf-8")
        os.replace(partial, path)

    @classmethod
    def load(cls, path: Path) -> Ranker:
        """Read the file.  Raises `RankerError` when it is none, `FileNotFoundError` without it."""
        try:
            record: dict[str, Any] = json.loads(path.read_bytes())
            if record["format"] != FORMAT:
                raise ValueError(f"format {record['format']}")
            examples = tuple((str(t), tuple(map(str, terms))) for t, terms in record["examples"])
            trees = BoostedTrees.from_record(record["ranker"])
            if any(int(tree.features.max(initial=0)) >= FEATURES for tree in trees.trees):
                raise ValueError("more features than there are")
            return cls(trees, float(record["threshold"]), examples)
        except FileNotFoundError:
            raise
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise RankerError(
                f"{path} is no ranker of diagnosis codes ({type(error).__name__}). Delete it, or "
                "train it again with: bedside kb train-coding"
            ) from error


FEATURES = 21


def parts_of(diagnosis: str) -> list[str]:
    """The single diagnoses that a wording may be made of, in plain form; itself when it is one."""
    found = [plain(part) for part in _PART.split(fold(diagnosis[:_LONGEST]))]
    kept = list(dict.fromkeys(part for part in found if len(part) > 1))
    return kept[:_PARTS] or [plain(diagnosis[:_LONGEST])]


class Candidates:
    """Terms of one table with what makes each likely for a wording."""

    def __init__(self, names: Sequence[str], examples: Iterable[tuple[str, Iterable[str]]]) -> None:
        """``names`` are the distinct names of the terms."""
        self.names = list(names)
        self.plain = plain_all(self.names)
        self._index = TermIndex(self.plain)
        self._lengths = np.array([len(name) for name in self.plain], np.float32)
        self._general = np.array([bool(_GENERAL.search(n)) for n in self.names], np.float32)
        self._sides = np.array([_side(name) for name in self.plain], np.float32)
        numbers = {name: number for number, name in enumerate(self.names)}
        self.memory = CodingMemory(
            [
                Example(plain(text), frozenset(numbers[t] for t in terms if t in numbers))
                for text, terms in examples
            ]
        )

    def features(
        self, diagnosis: str, without: int | None = None
    ) -> tuple[npt.NDArray[np.int64], Matrix]:
        """The numbers of the candidate terms, and what is known of each: ``[n, FEATURES]``."""
        text = plain(diagnosis[:_LONGEST])
        parts = parts_of(diagnosis)
        whole = self._index.overlap(text)
        chosen = whole.best(30, 30, self._index.weights)
        part_dice, part_explained = whole.dice, whole.explained
        if parts != [text]:
            overlaps = [self._index.overlap(part) for part in parts]
            for overlap in overlaps:
                chosen |= overlap.best(8, 0, self._index.weights)
            part_dice, part_explained = _best_parts(overlaps)
        recalled = self.memory.recall(text, without)
        chosen |= recalled.offered()
        rows = np.array(sorted(chosen), np.int64)
        if not len(rows):
            return rows, np.zeros((0, FEATURES), np.float32)
        overlap_columns = [
            whole.dice[rows], whole.held[rows], whole.explained[rows],
            part_dice[rows], part_explained[rows],
            [self.plain[row] in text for row in rows],
            [self.plain[row] in parts for row in rows],
            self._lengths[rows],
        ]  # fmt: skip
        columns = [
            *overlap_columns,
            *_recalled_columns(recalled, rows),
            self._general[rows],
            np.abs(_side(text) - self._sides[rows]),
            np.full(len(rows), len(parts)),
            np.full(len(rows), len(text)),
            np.full(len(rows), recalled.likeness),
            whole.dice[rows] / max(float(whole.dice.max()), 1e-9),
            part_dice[rows] / max(float(part_dice.max()), 1e-9),
            whole.held[rows] * self._index.weights[rows],
        ]
        return rows, np.stack([np.asarray(c, np.float32) for c in columns], axis=1)


def _best_parts(overlaps: Sequence[Overlap]) -> tuple[npt.NDArray[np.float64], ...]:
    dice = np.stack([overlap.dice for overlap in overlaps])
    best = dice.argmax(axis=0)
    explained = np.stack([overlap.explained for overlap in overlaps])
    return dice.max(axis=0), explained[best, np.arange(dice.shape[1])]


def _recalled_columns(recalled: Recollection, rows: npt.NDArray[np.int64]) -> list[list[float]]:
    sources: tuple[Mapping[int, float], ...] = (
        recalled.nearest, recalled.votes, recalled.linked, recalled.strongest,
    )  # fmt: skip
    columns = [[float(source.get(int(row), 0.0)) for row in rows] for source in sources]
    return [*columns, [float(np.log1p(recalled.prior.get(int(row), 0))) for row in rows]]


def _side(text: str) -> int:
    return ("左" in text) - ("右" in text)


class Normalizer:
    """Gives diagnoses their standard terms.  Safe to use from several threads."""

    def __init__(self, codes: Iterable[Code], ranker: Ranker | None = None) -> None:
        """``codes`` are those of one or more tables; a name keeps its first code."""
        self._codes: dict[str, Code] = {}
        for code in codes:
            self._codes.setdefault(code.name, code)
        self._ranker = ranker
        self._candidates = Candidates(list(self._codes), ranker.examples if ranker else ())
        names = self._candidates.names
        whole = plain_all(names, standard)
        self._exact = dict(zip(reversed(whole), reversed(names), strict=True))
        self._cached = lru_cache(maxsize=4096)(self._terms)

    def terms(self, diagnosis: str) -> list[CodeCandidate]:
        """The terms that a diagnosis means, the likeliest first; empty when none is likely.

        ``score`` is the ranker's probability, or, without a ranker, the overlap; 1 for a wording
        that is itself a term.
        """
        return list(self._cached(diagnosis[:_LONGEST])) if diagnosis.strip() else []

    def _terms(self, diagnosis: str) -> tuple[CodeCandidate, ...]:
        same = self._exact.get(standard(diagnosis))
        if same is not None:
            return (self._candidate(same, 1.0),)
        rows, features = self._candidates.features(diagnosis)
        if not len(rows):
            return ()
        scores, threshold, least = self._scores(features)
        order = np.argsort(-scores, kind="stable")
        kept = [number for number in order[:_MOST] if scores[number] >= threshold]
        if not kept and scores[order[0]] >= least:
            kept = [order[0]]
        return tuple(
            self._candidate(self._candidates.names[rows[number]], float(scores[number]))
            for number in kept
        )

    def _scores(self, features: Matrix) -> tuple[npt.NDArray[np.float64], float, float]:
        """(score of each candidate, what is enough, what is enough for the best alone)."""
        if self._ranker is not None:
            chance = self._ranker.trees.probabilities(features)
            return chance, self._ranker.threshold, _ABSTAIN
        return rule_scores(features), _RULE_THRESHOLD, _RULE_THRESHOLD / 2

    def _candidate(self, name: str, score: float) -> CodeCandidate:
        code = self._codes[name]
        return CodeCandidate(code.code, code.name, code.system, round(min(1.0, score), 4))


def rule_scores(features: Matrix) -> npt.NDArray[np.float64]:
    """The better of the overlap with the whole wording and with its best part, with what speaks
    for a term that the wording holds, whole (the longer the better) or in part: ``[n]``, 0 … 1."""
    overlap = np.maximum(features[:, 0], features[:, 3])
    inside = features[:, 5] * np.minimum(features[:, 7], 5) / 5
    return np.asarray((overlap + 0.4 * inside + 0.4 * features[:, 1]) / 1.8, np.float64)
