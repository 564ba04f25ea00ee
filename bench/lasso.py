"""LASSO with its penalty chosen by cross-validation, ours beside scikit-learn's.

Both take the same folds and the same path of 100 penalties on the same table (500 × 2,000, 10
folds); rounds are interleaved, and each is timed by the clock and by the time of all threads on the
processor, which does not grow where others use the machine.  The coefficients are held against
scikit-learn's own solver at the chosen penalty, at its default tolerance and at one so small that
nothing changes any more.  BLAS is kept to one thread for all of them: where it shares out products
as small as these and others use the machine too, its threads wait for each other, and a round of
scikit-learn's alone takes many minutes.

    python -m bench.lasso --rounds 3
    python -m bench.lasso --rounds 1 --peers
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.decomposition import PCA
from sklearn.linear_model import Lasso, LassoCV
from sklearn.model_selection import KFold
from threadpoolctl import threadpool_limits

from assistant.commands.progress import progress
from assistant.tasks.radiomics.cohort.lasso import lasso_cv, penalties_of
from assistant.tasks.radiomics.cohort.outcome import Floats
from bench.machine import describe

_CASES, _FEATURES, _SIGNALS, _FOLDS, _COMPONENTS = 500, 2000, 20, 10, 10
Found = tuple[float, Floats]


def table(kind: str, seed: int) -> tuple[Floats, Floats]:
    """Independent columns, or blocks of ten that go together (0.7)."""
    random = np.random.default_rng(seed)
    x = random.standard_normal((_CASES, _FEATURES))
    if kind == "blocks":
        shared = np.repeat(random.standard_normal((_CASES, _FEATURES // 10)), 10, axis=1)
        x = np.sqrt(0.7) * shared + np.sqrt(0.3) * x
    weight = np.zeros(_FEATURES)
    weight[random.choice(_FEATURES, _SIGNALS, replace=False)] = random.standard_normal(_SIGNALS)
    y = x @ weight
    y += random.standard_normal(_CASES) * y.std() * 0.7
    return (x - x.mean(axis=0)) / x.std(axis=0), y


def stock(x: Floats, y: Floats, jobs: int = 1) -> Found:
    """scikit-learn's LassoCV as it comes."""
    model = LassoCV(cv=KFold(_FOLDS), n_jobs=jobs).fit(x, y)
    return float(model.alpha_), model.coef_


def ours(x: Floats, y: Floats, threads: int = 2) -> Found:
    """The project's."""
    model = lasso_cv(x, y, list(KFold(_FOLDS).split(x)), threads)
    return model.penalty, model.coefficients


def skglm(x: Floats, y: Floats) -> Found:
    """skglm's working sets along the same path and folds."""
    from skglm import Lasso as Sparse

    penalties = penalties_of(x, y)
    errors = np.zeros(len(penalties))

    def path(rows: Any) -> Any:
        model = Sparse(tol=1e-4 * float(np.var(y)) ** 0.5, warm_start=True)
        for place, penalty in enumerate(penalties):
            model.set_params(alpha=float(penalty))
            yield place, model.fit(x[rows], y[rows])

    for train, test in KFold(_FOLDS).split(x):
        for place, model in path(train):
            errors[place] += np.mean((y[test] - model.predict(x[test])) ** 2)
    best = int(np.argmin(errors))
    coefficients = next(model.coef_.copy() for place, model in path(slice(None)) if place == best)
    return float(penalties[best]), coefficients


def components(x: Floats, found: Found) -> None:
    """The principal components of the columns that a LASSO kept."""
    kept = np.flatnonzero(found[1])
    PCA(min(_COMPONENTS, max(1, len(kept)))).fit_transform(x[:, kept if len(kept) else [0]])


def main() -> None:
    """Run and print one JSON line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=300, help="no round begins after these")
    parser.add_argument("--peers", action="store_true", help="skglm and stock on both cores too")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    ours(*table("blocks", 99))  # what is compiled is compiled before anything is timed
    solvers: dict[str, Callable[[Floats, Floats], Found]] = {"stock": stock, "ours": ours}
    if options.peers:
        solvers |= {
            "stock_two_jobs": lambda x, y: stock(x, y, 2),
            "ours_one_thread": lambda x, y: ours(x, y, 1),
            "skglm": skglm,
        }
    measured = {kind: Measured(solvers) for kind in ("independent", "blocks")}
    end = time.perf_counter() + options.seconds
    rounds = 0
    with progress() as report, threadpool_limits(1, "blas"):
        for rounds in range(options.rounds):
            report(rounds, options.rounds, "LASSO")
            if rounds and time.perf_counter() > end:
                break
            for kind, kept in measured.items():
                kept.take(*table(kind, rounds))
        else:
            rounds = options.rounds
    made = {kind: kept.as_data() for kind, kept in measured.items()}
    print(json.dumps({"bench": "lasso", "rounds": rounds, **made, **describe()}))


class Measured:
    """What was measured of one kind of table: a number a round for each solver."""

    def __init__(self, solvers: dict[str, Callable[[Floats, Floats], Found]]) -> None:
        self.solvers = solvers
        names = [name + end for name in solvers for end in ("", "_pca")]
        self.seconds: dict[str, list[float]] = {name: [] for name in names}
        self.processor: dict[str, list[float]] = {name: [] for name in names}
        self.differences: list[dict[str, float]] = []

    def take(self, x: Floats, y: Floats) -> None:
        """Every solver once.  The LASSO is not done twice for its components: theirs is the time of
        both, one after the other."""
        found: dict[str, Found] = {}
        for name, solve in self.solvers.items():
            begun, worked = time.perf_counter(), time.process_time()
            found[name] = solve(x, y)
            for end in ("", "_pca"):
                if end:
                    components(x, found[name])
                self.seconds[name + end].append(time.perf_counter() - begun)
                self.processor[name + end].append(time.process_time() - worked)
        penalty, mine, theirs = found["stock"][0], found["ours"][1], found["stock"][1]
        exact = Lasso(alpha=penalty, tol=1e-10, max_iter=100_000).fit(x, y).coef_
        self.differences.append(
            {
                "penalty": abs(found["ours"][0] / penalty - 1),
                "ours_to_stock": float(np.abs(mine - theirs).max()),
                "ours_to_exact": float(np.abs(mine - exact).max()),
                "stock_to_exact": float(np.abs(theirs - exact).max()),
            }
        )

    def as_data(self) -> dict[str, Any]:
        """Medians in seconds, their ratio, and the greatest difference of a coefficient."""
        differences = self.differences
        return {
            **_compared("", self.seconds),
            **_compared("processor_", self.processor),
            "greatest_difference": {
                key: float(f"{max(d[key] for d in differences):.2g}") for key in differences[0]
            },
        }


def _compared(prefix: str, times: dict[str, list[float]]) -> dict[str, Any]:
    """The median of each solver, and how many times faster than stock ours is."""
    middle = {name: round(statistics.median(found), 2) for name, found in times.items()}
    return {
        f"{prefix}seconds": middle,
        f"{prefix}times_faster": round(middle["stock"] / middle["ours"], 2),
        f"{prefix}times_faster_with_pca": round(middle["stock_pca"] / middle["ours_pca"], 2),
    }


if __name__ == "__main__":
    main()
