"""Learn the weights of the curated ranking: a conditional logit over its features.

    python -m bench.differential_weights --base HOME/knowledge --cases FILE --cases FILE@train*0.3

Cases are JSON lines as ``bedside eval differential`` takes them; ``@SPLIT`` keeps one split of a
file, ``*N`` weighs its cases.  Hits at 1, 3, 5 and 10 are told by cross-validation over whole
diagnoses (none is in training and test), as the panel lists them; ``--write`` keeps the weights of
all cases in ``knowledge/clinical/weights.json``.  ``--ablate`` tells the hits without groups of
features.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from assistant.tasks.differential.case_context import read_evidence
from eval.clinical.differential.cases import read_cases
from eval.clinical.differential.masking import masked_case
from eval.clinical.differential.names import Names
from knowledge.base import KnowledgeBase
from knowledge.clinical.entry import Entry
from knowledge.clinical.kinds import Kinds
from knowledge.clinical.ranking import FEATURES, learned_weights

Floats = npt.NDArray[np.float64]
FIXED = {"sex impossible": -12.0, "age impossible": -6.0}
"""Never learned: few cases have such a candidate, and the sign is known."""
LEAST_ABSENT = 0.25
"""What is denied counts at least so much; the cases here deny too little to learn it."""
_POSITIVE = ("prior", "settled", "absent", "age usual", "child's", "listed", "evoking")
_NEGATIVE = ("unlisted", "unmentioned", "age un", "sex", "onset", "against")
GROUPS = {
    "tests": ("listed tests", "unlisted tests", "unmentioned tests"),
    "demographics": ("age", "sex", "child's"),
    "evoking strength": ("evoking",),
    "combinations and what speaks against": ("settled", "against"),
    "onset": ("onset",),
    "prior": ("prior",),
}
RIDGE = 0.02
FOLDS = 5
DEPTHS = (1, 3, 5, 10)


@dataclass(frozen=True)
class LearningCase:
    """Features of all entries, the rows that are right, and what the case weighs."""

    set: str
    gold: str
    features: Floats
    right: list[int]
    weight: float


def load(given: Sequence[str], base: KnowledgeBase) -> tuple[list[LearningCase], dict[str, int]]:
    """The cases whose gold some entry is, and how many each file has in all."""
    names, ranking = Names(base), base.clinical.ranking
    cases: list[LearningCase] = []
    counts: dict[str, int] = {}
    for one in given:
        hit = re.fullmatch(r"(.*?)(?:@(\w+))?(?:\*([\d.]+))?", one)
        assert hit is not None
        path, weight = Path(hit[1]), float(hit[3] or 1)
        for case in read_cases(path, hit[2] or ""):
            if case.kind == "mimic":
                continue
            counts[path.name] = counts.get(path.name, 0) + 1
            _, evidence = read_evidence(masked_case(case.case, names.giving_away(case)), base)
            right = [n for n, entry in enumerate(ranking.entries) if names.match(entry.name, case)]
            if right:
                features = ranking.features(evidence).astype(np.float64)
                cases.append(LearningCase(path.name, case.gold[0], features, right, weight))
    return cases, counts


def fit(
    cases: Sequence[LearningCase], start: Floats, steps: int = 250, rate: float = 0.03
) -> Floats:
    """Weights that make the right entries likely (Adam on the log loss, ridge to ``start``)."""
    fixed = np.array([name in FIXED for name in FEATURES])
    positive = np.array(
        [name.startswith(_POSITIVE) and not fixed[n] for n, name in enumerate(FEATURES)]
    )
    negative = np.array([name.startswith(_NEGATIVE) for name in FEATURES])
    absent = FEATURES.index("absent")
    weights = start.copy()
    weights[fixed] = [FIXED[name] for name in FEATURES if name in FIXED]
    first, second = np.zeros_like(weights), np.zeros_like(weights)
    total = sum(case.weight for case in cases)
    for step in range(1, steps + 1):
        gradient = sum((_gradient(case, weights) for case in cases), np.zeros_like(weights)) / total
        gradient += RIDGE * (weights - start)
        gradient[fixed] = 0
        first = 0.9 * first + 0.1 * gradient
        second = 0.99 * second + 0.01 * gradient**2
        weights -= rate * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.99**step)) + 1e-8)
        weights[positive] = np.maximum(weights[positive], 0)
        weights[negative] = np.minimum(weights[negative], 0)
        weights[absent] = max(weights[absent], LEAST_ABSENT)
    return weights


def _gradient(case: LearningCase, weights: Floats) -> Floats:
    scores = case.features @ weights
    share = np.exp(scores - scores.max())
    share /= share.sum()
    wanted = np.zeros_like(share)
    wanted[case.right] = share[case.right] / max(share[case.right].sum(), 1e-12)
    return np.asarray(case.weight * (case.features.T @ (share - wanted)))


def places(cases: Sequence[LearningCase], weights: Floats, entries: Sequence[Entry]) -> list[int]:
    """The place, from 1, of the first right entry, of each ICD-10 category the first alone."""
    found = []
    kinds = Kinds(entries)
    categories = [entry.category for entry in entries]
    for case in cases:
        scores = kinds.shared((case.features @ weights).astype(np.float32))
        order = np.argsort(-scores, kind="stable")[:80]
        seen: set[str] = set()
        place, result = 0, 99
        for row in order:
            if categories[row] in seen:
                continue
            seen.add(categories[row])
            place += 1
            if row in case.right:
                result = place
                break
        found.append(result)
    return found


def tell(
    name: str, cases: Sequence[LearningCase], ranks: Sequence[int], counts: dict[str, int]
) -> None:
    """Hits of all cases of each file; those without an entry count as missed."""
    for file, count in counts.items():
        own = [rank for case, rank in zip(cases, ranks, strict=True) if case.set == file]
        shown = " / ".join(f"{100 * sum(r <= k for r in own) / count:5.1f}" for k in DEPTHS)
        print(f"{name:36s} {file:38s} {shown} %  of {count}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cases", action="append", required=True, help="FILE[@SPLIT][*WEIGHT]")
    parser.add_argument("--base", type=Path, required=True, help="folder of the knowledge base")
    parser.add_argument("--ablate", action="store_true")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    base = KnowledgeBase.open(given.base)
    entries = base.clinical.ranking.entries
    cases, counts = load(given.cases, base)
    start = learned_weights().astype(np.float64)
    tell("weights in use", cases, places(cases, start, entries), counts)
    golds = np.random.default_rng(7).permutation(sorted({case.gold for case in cases}))
    fold_of = {str(gold): number % FOLDS for number, gold in enumerate(golds)}
    tested: list[LearningCase] = []
    ranks: list[int] = []
    for fold in range(FOLDS):
        weights = fit([case for case in cases if fold_of[case.gold] != fold], start)
        own = [case for case in cases if fold_of[case.gold] == fold]
        tested += own
        ranks += places(own, weights, entries)
    tell("learned, cross-validated", tested, ranks, counts)
    weights = fit(cases, start)
    tell("learned, on the same cases", cases, places(cases, weights, entries), counts)
    for name, begins in GROUPS.items() if given.ablate else ():
        without = weights * [not feature.startswith(begins) for feature in FEATURES]
        tell(f"without {name}", cases, places(cases, without, entries), counts)
    table = {name: round(float(value), 4) for name, value in zip(FEATURES, weights, strict=True)}
    print(json.dumps(table, indent=1))
    if given.write:
        path = Path("knowledge/clinical/weights.json")
        path.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
