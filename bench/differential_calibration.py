"""Calibrate the curated ranking: a temperature and the probability that no entry is right.

    python -m bench.differential_calibration --base HOME/knowledge --cases FILE --cases FILE@train

Cases are JSON lines as ``bedside eval differential`` takes them; ``@SPLIT`` keeps one split of a
file.  Told of each file: the log loss of the gold and the expected calibration error of the first
candidate, as it ships, and by cross-validation over whole diagnoses; ``--write`` keeps what all
cases together give.
"""

from __future__ import annotations

import argparse
import itertools
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from assistant.tasks.differential.case_context import read_evidence
from eval.clinical.differential.cases import read_cases
from eval.clinical.differential.masking import masked_case
from eval.clinical.differential.names import Names
from knowledge.base import KnowledgeBase
from knowledge.clinical.calibration import Calibration, shipped_calibration

FOLDS = 5
BINS = (0.0, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 1.01)
TEMPERATURES = np.round(np.arange(0.6, 3.01, 0.05), 2)
OUTSIDE = np.round(np.arange(0.0, 0.41, 0.01), 2)


@dataclass(frozen=True)
class Scored:
    """A case: its file and gold, the scores of all entries, the rows that are right."""

    set: str
    gold: str
    scores: npt.NDArray[np.float32]
    right: list[int]


def load(given: Sequence[str], base: KnowledgeBase) -> list[Scored]:
    """The cases, those that no entry is right for among them; mimics have no gold that counts."""
    names, ranking = Names(base), base.clinical.ranking
    found: list[Scored] = []
    for one in given:
        hit = re.fullmatch(r"(.*?)(?:@(\w+))?", one)
        assert hit is not None
        for case in read_cases(Path(hit[1]), hit[2] or ""):
            if case.kind == "rare":
                continue
            _, evidence = read_evidence(masked_case(case.case, names.giving_away(case)), base)
            right = [n for n, entry in enumerate(ranking.entries) if names.match(entry.name, case)]
            scores = ranking.scores(evidence)
            found.append(Scored(Path(hit[1]).name, case.gold[0], scores, right))
    return found


def loss(cases: Sequence[Scored], calibration: Calibration) -> float:
    """The mean negative log probability of the gold, or of there being no entry."""
    told = [
        calibration.probabilities(case.scores)[case.right].sum()
        if case.right
        else calibration.outside
        for case in cases
    ]
    return float(-np.mean(np.log(np.maximum(told, 1e-6))))


def fit(cases: Sequence[Scored]) -> Calibration:
    """The calibration of the least loss: of the grid for the temperature, the share itself for
    what has no entry."""
    outside = sum(not case.right for case in cases) / len(cases)
    best = min(TEMPERATURES, key=lambda t: loss(cases, Calibration(float(t), max(outside, 0.001))))
    return Calibration(float(best), round(outside, 3))


def firsts(cases: Sequence[Scored], calibration: Calibration) -> list[tuple[float, bool]]:
    """The probability of each case's first candidate, and whether it is right."""
    found = []
    for case in cases:
        row = int(np.argmax(case.scores))
        found.append((float(calibration.probabilities(case.scores)[row]), row in case.right))
    return found


def error(told: Sequence[tuple[float, bool]]) -> float:
    """Expected calibration error in percent: how far hits are from what was told, bin by bin."""
    total = 0.0
    for low, high in itertools.pairwise(BINS):
        inside = [pair for pair in told if low <= pair[0] < high]
        total += abs(sum(p for p, _ in inside) - sum(hit for _, hit in inside))
    return 100 * total / len(told)


def tell(name: str, told: Sequence[tuple[str, float, bool]]) -> None:
    """Error and bins of each file."""
    for file in dict.fromkeys(file for file, _, _ in told):
        own = [(p, hit) for one, p, hit in told if one == file]
        bins = []
        for low, high in itertools.pairwise(BINS):
            inside = [pair for pair in own if low <= pair[0] < high]
            if inside:
                mean = 100 * sum(p for p, _ in inside) / len(inside)
                hits = 100 * sum(hit for _, hit in inside) / len(inside)
                bins.append(f"{mean:.0f}→{hits:.0f} ({len(inside)})")
        print(f"{name:24s} {file:36s} ECE {error(own):4.1f} %  {'  '.join(bins)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cases", action="append", required=True, help="FILE[@SPLIT]")
    parser.add_argument("--base", type=Path, required=True, help="folder of the knowledge base")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    cases = load(given.cases, KnowledgeBase.open(given.base))
    for name, calibration in (("raw", Calibration()), ("as it ships", shipped_calibration())):
        pairs = zip(cases, firsts(cases, calibration), strict=True)
        tell(name, [(case.set, *pair) for case, pair in pairs])
    golds = np.random.default_rng(7).permutation(sorted({case.gold for case in cases}))
    fold_of = {str(gold): number % FOLDS for number, gold in enumerate(golds)}
    told: list[tuple[str, float, bool]] = []
    for fold in range(FOLDS):
        calibration = fit([case for case in cases if fold_of[case.gold] != fold])
        own = [case for case in cases if fold_of[case.gold] == fold]
        pairs = zip(own, firsts(own, calibration), strict=True)
        told += [(case.set, *pair) for case, pair in pairs]
    tell("learned, cross-validated", told)
    found = fit(cases)
    print(json.dumps(asdict(found)), f"loss {loss(cases, found):.3f}")
    for file in dict.fromkeys(case.set for case in cases):
        alone = fit([case for case in cases if case.set == file])
        print(f"alone {file}: {json.dumps(asdict(alone))}")
    if given.write:
        path = Path("knowledge/clinical/calibration.json")
        path.write_text(json.dumps(asdict(found)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
