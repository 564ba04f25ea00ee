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

from assistant.commands.progress import progress
from assistant.tasks.radiomics.cohort.outcome import Floats
from assistant.tasks.radiomics.cohort.posterior import Group, discoveries
from bench.cohort_simulation import DESIGNS, Design, draw, truth
from bench.machine import describe


def probabilities(design: Design, seed: int, sweeps: int) -> tuple[Floats, Floats]:
    """(of each column, that it decides; 1 where it does)."""
    x, outcome, _ = draw(design, seed)
    signals, signs = truth(design, seed)
    # 32 bits: what is compared are sums of a few hundred numbers near one.
    each = (design.effect * x.T).astype(np.float32)
    seen = each @ outcome.event.astype(np.float32)
    random = np.random.default_rng(seed + 77)
    places, turns = signals.copy(), signs.copy()
    total, count = np.zeros(design.columns), 0
    for _ in range(sweeps):
        for turn in range(design.signals):
            others = np.delete(np.arange(design.signals), turn)
            taken = places[others]
            eta = turns[others].astype(np.float32) @ each[taken]
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


def _log(seen: Floats, each: Floats, eta: Floats, sign: int) -> Floats:
    """Log likelihood of each column with this sign beside the others, up to what is the same."""
    made = sign * seen - np.log1p(np.exp(eta + sign * each)).sum(axis=1)
    return made.astype(np.float64)


def main() -> None:
    """Run and print one JSON line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=25)
    parser.add_argument("--sweeps", type=int, default=40)
    parser.add_argument("--rate", type=float, default=0.1)
    parser.add_argument("--designs", nargs="*", help="All but those of survival by default.")
    options = parser.parse_args()
    made: dict[str, Any] = {"runs": options.runs, "rate": options.rate}
    with progress() as report:
        for name in options.designs or [n for n, d in DESIGNS.items() if not d.survival]:
            rows = []
            for seed in range(options.runs):
                report(seed, options.runs, f"oracle {name}")
                rows.append(found(DESIGNS[name], seed, options.sweeps, options.rate))
            recall, false = np.mean(rows, axis=0)
            made[name] = {"recall": round(float(recall), 3), "fdr": round(float(false), 3)}
    print(json.dumps({"bench": "cohort_oracle", **made, **describe()}))


def found(design: Design, seed: int, sweeps: int, rate: float) -> tuple[float, float]:
    """(recall, share of false ones) of the reader who knows."""
    probability, known = probabilities(design, seed, sweeps)
    order = np.argsort(-probability, kind="stable")[: 5 * design.signals]
    chosen = discoveries([Group(int(c), float(probability[c])) for c in order], rate)
    true = float(sum(known[group.column] for group in chosen))
    return true / design.signals, 1 - true / len(chosen) if chosen else 0.0


if __name__ == "__main__":
    main()
