"""Learn the weights of the curated ranking: a conditional logit over its features.

    python -m bench.differential_weights --cases FILE [--cases FILE …] [--write]

Cases are JSON lines as ``bedside eval differential`` takes them.  Hits at 1 and 5 are told by
cross-validation over whole diagnoses (no diagnosis is in training and test); ``--write`` keeps the
weights of all cases in ``knowledge/clinical/weights.json``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from assistant.tasks.differential.case_context import examine
from eval.clinical.differential.cases import read_cases
from eval.clinical.differential.masking import masked_case
from eval.clinical.differential.names import Names
from knowledge.base import KnowledgeBase
from knowledge.clinical.ranking import FEATURES, learned_weights

Floats = npt.NDArray[np.float64]
FIXED = {"sex impossible": -12.0, "age impossible": -6.0}
"""Never learned: few cases have such a candidate, and the sign is known."""
POSITIVE = {
    "prior",
    "settled",
    *(name for name in FEATURES if name.startswith(("listed", "evoking"))),
}
RIDGE = 0.02
FOLDS = 5


class Case:
    """Features of all entries, and the rows that are right."""

    def __init__(self, gold: str, features: Floats, right: Sequence[int]) -> None:
        self.gold, self.features, self.right = gold, features, list(right)


def load(paths: Sequence[Path], base: KnowledgeBase) -> tuple[list[Case], int]:
    """The cases whose gold some entry is, and how many there are in all."""
    names = Names(base)
    ranking = base.clinical.ranking
    cases, count = [], 0
    for path in paths:
        for case in read_cases(path):
            count += 1
            shown = masked_case(case.case, names.told(case))
            context = examine(shown, base)
            right = [
                row for row, entry in enumerate(ranking.entries) if names.match(entry.name, case)
            ]
            if right:
                features = ranking.features(context.evidence).astype(np.float64)
                cases.append(Case(case.gold[0], features, right))
    return cases, count


def fit(cases: Sequence[Case], start: Floats, steps: int = 400, rate: float = 0.05) -> Floats:
    """Weights that make the right entries likely (Adam on the log loss, ridge to ``start``)."""
    fixed = np.array([name in FIXED for name in FEATURES])
    positive = np.array([name in POSITIVE for name in FEATURES])
    weights = start.copy()
    weights[fixed] = [FIXED[name] for name in FEATURES if name in FIXED]
    first, second = np.zeros_like(weights), np.zeros_like(weights)
    for step in range(1, steps + 1):
        gradient = RIDGE * (weights - start)
        for case in cases:
            scores = case.features @ weights
            share = np.exp(scores - scores.max())
            share /= share.sum()
            best = share[case.right]
            wanted = np.zeros_like(share)
            wanted[case.right] = best / max(best.sum(), 1e-12)
            gradient += case.features.T @ (share - wanted) / len(cases)
        gradient[fixed] = 0
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        weights -= rate * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
        weights[positive] = np.maximum(weights[positive], 0)
    return weights


def hits(cases: Sequence[Case], weights: Floats) -> list[int]:
    """The rank, from 1, of the first right entry of each case."""
    ranks = []
    for case in cases:
        scores = case.features @ weights
        ranks.append(int((scores > scores[case.right].max()).sum()) + 1)
    return ranks


def told(name: str, ranks: Sequence[int], count: int) -> None:
    """Print hits at 1 and 5 of all cases, those without an entry counted as missed."""
    top = [100 * sum(rank <= k for rank in ranks) / count for k in (1, 3, 5, 10)]
    print(f"{name:32s} " + " / ".join(f"{value:5.1f}" for value in top) + f" %  of {count}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=Path, action="append", required=True)
    parser.add_argument("--base", type=Path, required=True, help="Folder of the knowledge base.")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    base = KnowledgeBase.open(given.base)
    cases, count = load(given.cases, base)
    print(f"{len(cases)} of {count} cases have an entry of their diagnosis")
    start = learned_weights().astype(np.float64)
    told("weights in use", hits(cases, start), count)
    golds = sorted({case.gold for case in cases})
    fold_of = {
        gold: n % FOLDS for n, gold in enumerate(np.random.default_rng(7).permutation(golds))
    }
    ranks: list[int] = []
    for fold in range(FOLDS):
        train = [case for case in cases if fold_of[case.gold] != fold]
        test = [case for case in cases if fold_of[case.gold] == fold]
        ranks += hits(test, fit(train, start))
    told("learned, cross-validated", ranks, count)
    weights = fit(cases, start)
    told("learned, on the same cases", hits(cases, weights), count)
    table = {name: round(float(value), 4) for name, value in zip(FEATURES, weights, strict=True)}
    print(json.dumps(table, indent=1))
    if given.write:
        path = Path("knowledge/clinical/weights.json")
        path.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
