"""Two systems on the same samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eval.errors import EvalError
from eval.promptcblue.prediction import Prediction
from eval.promptcblue.sample import Sample
from eval.promptcblue.score import Scores, score
from eval.promptcblue.tally import Tally
from eval.promptcblue.tracks import Track
from eval.significance import RESAMPLES, Difference, compare_tasks

LEAST = 100
"""Samples below which nothing is shown: the interval of a few alike answers is too narrow."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """B against A.  ``margin`` is how many points worse still counts as not worse."""

    a: Scores
    b: Scores
    overall: Difference
    tasks: tuple[Difference, ...]
    margin: float

    @property
    def not_worse(self) -> bool:
        """Whether B is shown to be no worse than A overall, within the margin."""
        return not self.too_few and self.overall.not_worse(self.margin)

    @property
    def too_few(self) -> bool:
        """Whether there are too few samples to show anything."""
        return self.overall.samples < LEAST

    def to_json(self) -> dict[str, Any]:
        """What ``bedside eval compare --json`` prints."""
        return {
            "margin": self.margin,
            "not_worse": self.not_worse,
            "too_few_samples": self.too_few,
            "overall": self._row(self.overall),
            "tasks": {difference.name: self._row(difference) for difference in self.tasks},
        }

    def _row(self, difference: Difference) -> dict[str, Any]:
        return {
            "a": difference.a,
            "b": difference.b,
            "difference": difference.points,
            "low": difference.low,
            "high": difference.high,
            "p": difference.p,
            "p_holm": difference.p_holm,
            "significant": difference.significant(),
            "not_worse": difference.not_worse(self.margin),
            "samples": difference.samples,
        }


def compare(
    track: Track,
    samples: Sequence[Sample],
    a: Sequence[Prediction],
    b: Sequence[Prediction],
    *,
    margin: float,
    resamples: int = RESAMPLES,
) -> Comparison:
    """Score both and test the differences.

    Raises:
        EvalError: ``margin`` is negative.
    """
    if margin < 0:
        raise EvalError("The margin is a number of points, 0 or more.")
    first, second = score(track, samples, a), score(track, samples, b)
    paired = {name: _paired(track, name, first, second) for name in first.tasks}
    overall, tasks = compare_tasks(first, second, paired, resamples)
    return Comparison(first, second, overall, tuple(tasks), margin)


def _paired(track: Track, name: str, a: Scores, b: Scores) -> Tally:
    rows = (*a.tasks[name].judged, *b.tasks[name].judged)
    return track.tasks[name].tally(
        [row.gold for row in rows], [row.parsed and row.parsed.answer for row in rows]
    )
