"""What could be found at all: the features of a simulated cohort, for one who knows the truth.

The reader of `bench.cohort_simulation`'s designs who knows how many columns decide, how strongly,
and that the intercept is zero, and has the exact likelihood, can only not know *which* columns: the
posterior over these is sampled exactly, column by column, from the truth on (which is itself a draw
of it).  Whoever keeps to a share of false ones can find no more than this reader does.

    python -m bench.cohort_oracle --runs 25
"""

from __future__ import annotations

import argparse
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.commands.progress import progress
from assistant.tasks.radiomics.cohort.outcome import Floats
from bench.cohort_simulation import DESIGNS, Design, draw, truth
from bench.machine import describe

Singles = NDArray[np.float32]


def probabilities(design: Design, seed: int, sweeps: int) -> tuple[Floats, Floats]:
    """(of each column, that it decides; 1 where it does)."""
    x, outcome, _ = draw(design, seed)
    signals, signs = truth(design, seed)
    # 32 bits: what is compared are sums of a few hundred numbers near one.
    each: Singles = (design.effect * x.T).astype(np.float32)
    seen: Singles = each @ outcome.event.astype(np.float32)
    random = np.random.default_rng(seed + 77)
    places, turns = signals.copy(), signs.copy()
    total, count = np.zeros(design.columns), 0
    for _ in range(sweeps):
        for turn in range(design.signals):
            others = np.delete(np.arange(design.signals), turn)
            taken = places[others]
            eta: Singles = turns[others].astype(np.float32) @ each[taken]
            log = np.stack([_log(seen, each, eta, 1), _log(seen, each, eta, -1)])
            log[:, taken] = -np.inf
            share = np.exp(log - log.max())
            share /= share.sum()
            drawn = int(random.choice(share.size, p=share.ravel()))
            places[turn], turns[turn] = drawn % design.columns, 1 - 2 * (drawn // design.columns)
            total += share.sum(axis=0)
            total[taken] += 1
            count += 1
    known = np.zeros(design.columns)
    known[signals] = 1
    return total / count, known


def _log(seen: Singles, each: Singles, eta: Singles, sign: int) -> Floats:
    """Log likelihood of each column with this sign beside the others, up to what is the same."""
    made = sign * seen - np.log1p(np.exp(eta + sign * each)).sum(axis=1)
    found: Floats = made.astype(np.float64)
    return found


def main() -> None:
    """Run and print one JSON line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=25)
    parser.add_argument("--sweeps", type=int, default=12)
    parser.add_argument("--rate", type=float, default=0.1)
    parser.add_argument("--designs", nargs="*", help="All but those of survival by default.")
    options = parser.parse_args()
    made: dict[str, Any] = {"runs": options.runs, "rate": options.rate}
    with progress() as report:
        for name in options.designs or [n for n, d in DESIGNS.items() if not d.survival]:
            rows = []
            for seed in range(options.runs):
                report(seed, options.runs, f"oracle {name}")
                rows.append(probabilities(DESIGNS[name], seed, options.sweeps))
            made[name] = figures(rows, options.rate)
    print(json.dumps({"bench": "cohort_oracle", **made, **describe()}))


def figures(rows: list[tuple[Floats, Floats]], rate: float) -> dict[str, float]:
    """``recall`` and ``fdr`` of who takes in each cohort as many as keep the expected share of
    false ones at ``rate``; ``most``: the recall expected with one cut for all cohorts, the best
    there is at that rate over all discoveries."""
    each = []
    for probability, known in rows:
        order = np.argsort(-probability, kind="stable")
        chosen = order[: _taken(probability[order], rate)]
        true = float(known[chosen].sum())
        each.append((true / known.sum(), 1 - true / len(chosen) if len(chosen) else 0.0))
    whole = np.sort(np.concatenate([probability for probability, _ in rows]))[::-1]
    signals = float(sum(known.sum() for _, known in rows))
    recall, false = np.mean(each, axis=0)
    most = float(whole[: _taken(whole, rate)].sum()) / signals
    return {
        "recall": round(float(recall), 3),
        "fdr": round(float(false), 3),
        "most": round(most, 3),
    }


def _taken(falling: Floats, rate: float) -> int:
    """How many of these probabilities, the greatest first, have a mean doubt within ``rate``."""
    doubt = np.cumsum(1 - falling) / np.arange(1, len(falling) + 1)
    return int(np.searchsorted(doubt, rate, side="right"))


if __name__ == "__main__":
    main()
