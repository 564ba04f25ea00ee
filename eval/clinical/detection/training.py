"""The classifier of candidates, learnt from simulated chests: no patient's image is in it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from assistant.imaging.volume import Floats
from assistant.tasks.detection.candidate import background, candidates, prepared
from assistant.tasks.detection.features import NAMES, features
from assistant.tasks.detection.scan import Scan
from eval.clinical.detection.cases import Case, hits, reach, simulated_cases

Report = Callable[[int, int, str], None]

TRAINING_SEED = 1
NODULES = 12
_STRONGEST = 350
_REST = 250

_PARAMETERS = {
    "objective": "binary",
    "learning_rate": 0.06,
    "num_leaves": 12,
    "min_data_in_leaf": 20,
    "feature_fraction": 0.6,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "lambda_l2": 2.0,
    "num_threads": 2,
    "deterministic": True,
    "seed": 0,
    "verbose": -1,
}
_ROUNDS = 150


def examples(case: Case) -> tuple[Floats, Floats]:
    """Features of a case's candidates and whether each is a nodule.

    What lies beside a nodule without being a hit is neither, and left out.
    """
    scan = Scan.of(case.volume, lambda done, total, what: None)
    found = candidates(scan)
    index = scan.original(np.array([one.index for one in found], float).reshape(-1, 3))
    label = np.zeros(len(found))
    doubtful = np.zeros(len(found), bool)
    for near, wide in zip(
        hits(case, index, reach), hits(case, index, lambda one: one.diameter + 3), strict=True
    ):
        doubtful[wide] = True
        label[near] = 1
    # The strongest of the others, and some of the rest, which are many and alike.
    others = np.flatnonzero((label == 0) & ~doubtful)
    rest = np.random.default_rng(0).permutation(others[_STRONGEST:])[:_REST]
    kept = np.concatenate([np.flatnonzero(label == 1), others[:_STRONGEST], rest])
    rows = features([found[n] for n in kept], scan, prepared(scan), background(scan))
    return rows, label[kept]


def training_examples(scans: int, progress: Report) -> tuple[Floats, Floats]:
    """Of ``scans`` simulated chests."""
    rows, labels = [], []
    for done, case in enumerate(simulated_cases(scans, TRAINING_SEED, NODULES), 1):
        row, label = examples(case)
        rows.append(row)
        labels.append(label)
        progress(done, scans, "候选 candidates")
    return np.concatenate(rows), np.concatenate(labels)


def fitted(rows: Floats, labels: Floats) -> str:
    """Boosted trees as LightGBM's own text."""
    import lightgbm

    data = lightgbm.Dataset(rows, labels, feature_name=list(NAMES))
    booster = lightgbm.train(_PARAMETERS, data, _ROUNDS)
    text: str = booster.model_to_string()
    return text
