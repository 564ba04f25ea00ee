"""Two systems on the same samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.errors import EvalError
from eval.promptcblue.prediction import Prediction, read_predictions
from eval.promptcblue.sample import Sample
from eval.promptcblue.score import Scores, score
from eval.promptcblue.tally import Tally
from eval.promptcblue.tracks import TRACKS, Track
from eval.run.run import PREDICTIONS, read_answers, read_run
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


@dataclass(frozen=True, slots=True)
class Sides:
    """Two runs on the same samples, with what tells them apart."""

    track: Track
    samples: list[Sample]
    a: list[Prediction]
    b: list[Prediction]
    facts: dict[str, str]


def read_sides(a: Path, b: Path) -> Sides:
    """The runs in the folders ``a`` and ``b``.

    Raises:
        EvalError: one is no run, or they were not made on the same samples.
    """
    runs = read_run(a), read_run(b)
    if runs[0]["track"] != runs[1]["track"] or runs[0]["data_sha256"] != runs[1]["data_sha256"]:
        raise EvalError("The two runs were not made on the same samples.")
    track = TRACKS[runs[0]["track"]]
    samples, _ = read_answers(a, track)
    known = {sample.sample_id: sample for sample in samples}
    first, second = (
        read_predictions(side / PREDICTIONS, known, whole_lines=True) for side in (a, b)
    )
    return Sides(track, samples, first, second, _facts(*runs))


def _facts(a: dict[str, Any], b: dict[str, Any]) -> dict[str, str]:
    """What tells the two runs apart, and what they were made on."""
    facts = {"SHA-256 data": str(a["data_sha256"])}
    for side, run in (("A", a), ("B", b)):
        facts[f"{side} command"] = str(run["command"])
        facts[f"{side} model"] = str(run["model"]["name"])
        facts[f"{side} SHA-256 model"] = str(run["model_sha256"])
        facts[f"{side} SHA-256 prompts"] = str(run["prompts_sha256"])
        facts[f"{side} constrained"] = "yes" if run["constrained"] else "no"
        facts[f"{side} few-shot"] = str(run["shots"])
    return facts
