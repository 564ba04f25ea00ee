"""Intervals and tests over documents: bootstrap, paired permutation, Holm's correction.

Samples about one document are drawn together (`eval.promptcblue.document`).  Tasks are resampled
each by itself, as they are different sets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eval.promptcblue.document import documents
from eval.promptcblue.score import Scores, TaskScore
from eval.promptcblue.tally import Floats, Tally

RESAMPLES = 2000
SEED = 20240501
_BLOCK = 100


@dataclass(frozen=True, slots=True)
class Interval:
    """A score with its 95 % interval, all 0 to 100."""

    score: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Difference:
    """B − A in points, with the 95 % interval and the two-sided p, corrected over the tasks."""

    name: str
    samples: int
    a: float
    b: float
    low: float
    high: float
    p: float
    p_holm: float

    @property
    def points(self) -> float:
        """How many points B is above A."""
        return self.b - self.a

    def significant(self, level: float = 0.05) -> bool:
        """Whether the difference stands after the correction."""
        return self.p_holm < level

    def not_worse(self, margin: float) -> bool:
        """Whether the interval excludes that B is worse by ``margin`` points or more.

        The lower end of a two-sided 95 % interval makes this a one-sided test at 2.5 %.
        """
        return self.low > -margin


Numbers = npt.NDArray[np.int64]


def _counts(rng: np.random.Generator, grouped: Numbers, resamples: int) -> Floats:
    """How often each row is drawn in each resample, with its document: (resamples, rows)."""
    count = int(grouped.max()) + 1
    drawn = rng.multinomial(count, np.full(count, 1 / count), resamples)
    return drawn[:, grouped].astype(np.float64)


def resampled(
    tally: Tally,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    grouped: Numbers | None = None,
) -> Floats:
    """The score of each bootstrap resample: (resamples,).

    ``grouped`` (rows,) is the number of each row's document, from 0; without it every row is one.
    """
    rng = np.random.default_rng(seed)
    numbers = np.arange(tally.rows) if grouped is None else grouped
    blocks = [
        tally.scores(_counts(rng, numbers, min(_BLOCK, resamples - start)))
        for start in range(0, resamples, _BLOCK)
    ]
    return np.concatenate(blocks)


def _range(values: Floats) -> tuple[float, float]:
    low, high = np.percentile(values, (2.5, 97.5))
    return float(low), float(high)


def intervals(scores: Scores, resamples: int = RESAMPLES) -> tuple[Interval, dict[str, Interval]]:
    """The overall score and the tasks' scores with percentile intervals of the bootstrap."""
    drawn: list[Floats] = []
    found: dict[str, Interval] = {}
    for place, (name, task) in enumerate(scores.tasks.items()):
        values = 100 * resampled(task.tally, resamples, SEED + place, _documents(task))
        drawn.append(values)
        found[name] = Interval(task.score, *_range(values))
    return Interval(scores.overall, *_range(np.mean(drawn, axis=0))), found


def _documents(task: TaskScore) -> Numbers:
    return documents([judged.sample for judged in task.judged])


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction: what each p is worth among all of them (Holm 1979)."""
    order = np.argsort(p_values, kind="stable")
    corrected = [0.0] * len(p_values)
    highest = 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        corrected[int(place)] = highest
    return corrected


def compare_tasks(
    a: Scores,
    b: Scores,
    paired: Mapping[str, Tally],
    resamples: int = RESAMPLES,
) -> tuple[Difference, list[Difference]]:
    """Overall and by task: how far B is above A, on the same samples.

    ``paired`` has a tally a task with the rows of A and then those of B.  Intervals are of the
    paired bootstrap; p values of the permutation that swaps the two systems' answers about a
    document, each with probability ½, with the observed one counted among them.
    """
    boot: list[Floats] = []
    permuted: list[Floats] = []
    raw: list[tuple[TaskScore, float, tuple[float, float]]] = []
    for place, (name, tally) in enumerate(paired.items()):
        drawn, swapped = _paired(tally, resamples, SEED + place, _documents(a.tasks[name]))
        boot.append(drawn)
        permuted.append(swapped)
        observed = b.tasks[name].score - a.tasks[name].score
        raw.append((a.tasks[name], _p(swapped, observed), _range(drawn)))
    corrected = holm([p for _, p, _ in raw])
    tasks = [
        Difference(
            task.name, len(task.judged), task.score, b.tasks[task.name].score, low, high, p, p_holm
        )
        for (task, p, (low, high)), p_holm in zip(raw, corrected, strict=True)
    ]
    observed = b.overall - a.overall
    p = _p(np.mean(permuted, axis=0), observed)
    low, high = _range(np.mean(boot, axis=0))
    samples = sum(difference.samples for difference in tasks)
    return Difference("overall", samples, a.overall, b.overall, low, high, p, p), tasks


def _paired(tally: Tally, resamples: int, seed: int, grouped: Numbers) -> tuple[Floats, Floats]:
    """Differences in points: of bootstrap resamples, and of random swaps."""
    rng = np.random.default_rng(seed)
    rows = tally.rows // 2
    drawn: list[Floats] = []
    swapped: list[Floats] = []
    for start in range(0, resamples, _BLOCK):
        size = min(_BLOCK, resamples - start)
        counts, none = _counts(rng, grouped, size), np.zeros((size, rows))
        keep = rng.integers(0, 2, (size, int(grouped.max()) + 1))[:, grouped].astype(np.float64)
        for kept, first, second in ((drawn, counts, none), (swapped, keep, 1 - keep)):
            a = tally.scores(np.hstack([first, second]))
            b = tally.scores(np.hstack([second, first]))
            kept.append(100 * (b - a))
    return np.concatenate(drawn), np.concatenate(swapped)


def _p(permuted: Floats, observed: float) -> float:
    # Sums of floats differ by rounding between a permutation and what was observed.
    extreme = int(np.count_nonzero(np.abs(permuted) >= abs(observed) - 1e-9))
    return (1 + extreme) / (1 + len(permuted))
