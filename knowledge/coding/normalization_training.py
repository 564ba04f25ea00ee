"""Trains the ranker of diagnosis codes on coded diagnoses, and says how good it is.

Split by the order of the records: trees on the first 80 %, the threshold on the next 10 %, the
figures on the last 10 %, which nothing has seen.  The ranker that is kept remembers all records.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from knowledge.coding.coding import Code
from knowledge.coding.normalization import Candidates, Normalizer, Ranker
from knowledge.ranking.boosted_trees import Growth, grow

SEPARATOR = "##"
FEWEST = 50
_THRESHOLDS = tuple(round(0.2 + 0.025 * step, 3) for step in range(17))

Progress = Callable[[int, int, str], None]
"""Called with (done, total, what)."""


class ExamplesError(Exception):
    """A file of coded diagnoses cannot be used; the message names the line."""


@dataclass(frozen=True)
class CodedDiagnosis:
    """A diagnosis as written with the names of the standard terms that it was given."""

    text: str
    terms: tuple[str, ...]


@dataclass(frozen=True)
class Scores:
    """Micro-averaged over pairs of a diagnosis and a term, as CHIP-CDN counts."""

    precision: float
    recall: float
    f1: float
    diagnoses: int


def read_examples(path: Path) -> list[CodedDiagnosis]:
    """Records ``{"text", "normalized_result"}``, one a line, terms separated by ``##``.

    A file that ends in ``.gz`` is unpacked.

    Raises:
        ExamplesError: the file cannot be read or a line is no such record.
    """
    return list(_read(path))


def _read(path: Path) -> Iterator[CodedDiagnosis]:
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                try:
                    record = json.loads(line)
                    text, result = record["text"], record["normalized_result"]
                    terms = tuple(dict.fromkeys(t.strip('" ') for t in result.split(SEPARATOR)))
                    yield CodedDiagnosis(str(text), tuple(t for t in terms if t))
                except (ValueError, KeyError, TypeError, AttributeError) as error:
                    raise ExamplesError(
                        f"{path.name}, line {number}: expected text and normalized_result."
                    ) from error
    except (OSError, UnicodeDecodeError, EOFError) as error:
        raise ExamplesError(f"{path.name} cannot be read: {error}.") from error


def train(
    examples: Sequence[CodedDiagnosis],
    codes: Sequence[Code],
    progress: Progress = lambda done, total, what: None,
    growth: Growth | None = None,
) -> tuple[Ranker, Scores, Scores]:
    """(the ranker, its scores on the last 10 %, those of the rule without a ranker).

    Raises:
        ExamplesError: there are too few examples.
    """
    if len(examples) < FEWEST:
        raise ExamplesError(f"{len(examples)} coded diagnoses are too few; {FEWEST} are needed.")
    growth = growth or Growth(rounds=120)
    first, second = len(examples) * 8 // 10, len(examples) * 9 // 10
    known = [(e.text, e.terms) for e in examples[:second]]
    names = list(dict.fromkeys(code.name for code in codes))
    candidates = Candidates(names, known)
    numbers = {name: number for number, name in enumerate(names)}
    rows, labels = [], []
    for index, example in enumerate(examples[:first]):
        progress(index, first, "features")
        terms, features = candidates.features(example.text, without=index)
        wanted = {numbers[t] for t in example.terms if t in numbers}
        rows.append(features)
        labels.append(np.array([int(term) in wanted for term in terms], bool))
    progress(first, first, "features")
    progress(0, 1, "trees")
    trees = grow(np.concatenate(rows), np.concatenate(labels), growth)
    progress(1, 1, "trees")
    threshold = _best_threshold(candidates, Ranker(trees, 0.0), examples, first, second)
    held_out = examples[second:]
    scores = evaluate(Normalizer(codes, Ranker(trees, threshold, tuple(known))), held_out)
    rule = evaluate(Normalizer(codes), held_out)
    ranker = Ranker(trees, threshold, tuple((e.text, e.terms) for e in examples))
    return ranker, scores, rule


def _best_threshold(
    candidates: Candidates,
    ranker: Ranker,
    examples: Sequence[CodedDiagnosis],
    first: int,
    second: int,
) -> float:
    predicted = []
    for index in range(first, second):
        terms, features = candidates.features(examples[index].text, without=index)
        chance = ranker.trees.probabilities(features)
        wanted = set(examples[index].terms)
        hits = np.array([candidates.names[int(term)] in wanted for term in terms], bool)
        predicted.append((chance, hits, len(wanted)))

    def f1(threshold: float) -> float:
        found = sum(int((hits & (chance >= threshold)).sum()) for chance, hits, _ in predicted)
        given = sum(int((chance >= threshold).sum()) for chance, _, _ in predicted)
        return 2 * found / max(1, given + sum(wanted for *_, wanted in predicted))

    return max(_THRESHOLDS, key=f1)


def evaluate(normalizer: Normalizer, examples: Sequence[CodedDiagnosis]) -> Scores:
    """Precision, recall and F1 over (diagnosis, term) pairs; every term given counts, in the table
    or not."""
    found = given = wanted = 0
    for example in examples:
        predicted = {candidate.name for candidate in normalizer.terms(example.text)}
        found += len(predicted & set(example.terms))
        given += len(predicted)
        wanted += len(set(example.terms))
    return Scores(
        precision=found / max(1, given),
        recall=found / max(1, wanted),
        f1=2 * found / max(1, given + wanted),
        diagnoses=len(examples),
    )
