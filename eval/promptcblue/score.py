"""Gold samples and answers → a score a task, and the unweighted mean of them.

Two modes.  The official one does in terms of scores what the track's own scorer does: a missing or
misplaced answer, or a line on which its parser ends with an error, leaves the whole submission
with 0.  The default one scores such a sample as wrong, counts it and goes on; there, reasoning and
the whitespace around an answer are no part of it.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from eval.errors import EvalError
from eval.promptcblue.prediction import Prediction
from eval.promptcblue.sample import Sample
from eval.promptcblue.tally import Tally
from eval.promptcblue.task import OddLine, Parsed, Task
from eval.promptcblue.tasks.labels import Label
from eval.promptcblue.tracks import Track
from eval.reasoning import without_reasoning

# Blanks and ends of lines.  A carriage return alone ends no line for the official scorers either.
_AROUND = re.compile(r"\A(?:[ \t\u3000]|\r?\n)+|(?:[ \t\u3000]|\r?\n)+\Z")

MISSING = "no answer"
ODD = "odd line"
REASONING = "reasoning left out"
OTHER_CHOICES = "other choices than the sample's"


@dataclass(frozen=True, slots=True)
class Judged:
    """One sample with what was read from its answer; None where there is none to score."""

    sample: Sample
    gold: Any
    text: str | None
    parsed: Parsed | None
    goodness: float = 0.0


@dataclass(frozen=True, slots=True)
class TaskScore:
    """The score of a task, 0 to 100, with what it stands on."""

    name: str
    metric: str
    score: float
    tally: Tally
    judged: tuple[Judged, ...]
    counts: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Scores:
    """All tasks' scores.  ``refused`` is why the official scorer gives 0 to everything."""

    track: str
    official: bool
    tasks: dict[str, TaskScore]
    notes: tuple[str, ...] = ()
    refused: str = ""

    @property
    def overall(self) -> float:
        """The unweighted mean over the tasks that have samples, 0 to 100."""
        scores = self.by_task.values()
        return sum(scores) / len(scores)

    @property
    def by_task(self) -> dict[str, float]:
        """Task → score, 0 to 100."""
        return {name: 0.0 if self.refused else t.score for name, t in self.tasks.items()}

    def to_json(self) -> dict[str, Any]:
        """What ``bedside eval score --json`` prints."""
        return {
            "overall": self.overall,
            "scores": self.by_task,
            "track": self.track,
            "mode": "official" if self.official else "default",
            "samples": {name: len(task.judged) for name, task in self.tasks.items()},
            "counts": {name: dict(task.counts) for name, task in self.tasks.items()},
            "notes": list(self.notes),
            "refused": self.refused,
        }


def score(
    track: Track,
    samples: Sequence[Sample],
    predictions: Sequence[Prediction],
    *,
    official: bool = False,
) -> Scores:
    """Score ``predictions`` against the targets of ``samples``.

    Raises:
        EvalError: a gold target cannot be read.
    """
    by_task: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        by_task[sample.task_dataset].append(sample)
    answers = {answer.sample_id: answer for answer in predictions}
    tasks: dict[str, TaskScore] = {}
    odd: list[str] = []
    for name, task in track.tasks.items():
        if name in by_task:
            tasks[name] = _score_task(track, task, by_task[name], answers, official, odd)
    refused = _misplaced(track, by_task, predictions) or next(iter(odd), "") if official else ""
    return Scores(track.name, official, tasks, _notes(track, tasks, samples, predictions), refused)


def _score_task(
    track: Track,
    task: Task,
    samples: Sequence[Sample],
    answers: dict[str, Prediction],
    official: bool,
    odd: list[str],
) -> TaskScore:
    judged: list[Judged] = []
    counts: Counter[str] = Counter()
    for sample in samples:
        gold = _gold(track, task, sample, official)
        answer = answers.get(sample.sample_id)
        if answer is None:
            counts[MISSING] += 1
            judged.append(Judged(sample, gold, None, None))
            continue
        choices = answer.choices if official else sample.answer_choices
        counts[OTHER_CHOICES] += answer.choices != sample.answer_choices
        parsed: Parsed | None = None
        try:
            text = answer.text if official else without_reasoning(answer.text)
            counts[REASONING] += text != answer.text
            parsed = task.parse(track.prepare(_bare(text, official)), choices)
            counts.update(flaw.value for flaw in parsed.flaws)
        except OddLine as error:
            counts[ODD] += 1
            odd.append(f"{task.name} {sample.sample_id}: {error}")
        judged.append(Judged(sample, gold, answer.text, parsed))
    tally = task.tally([j.gold for j in judged], [j.parsed and j.parsed.answer for j in judged])
    kept = tuple(
        Judged(j.sample, j.gold, j.text, j.parsed, float(goodness) if j.parsed else 0.0)
        for j, goodness in zip(judged, tally.each, strict=True)
    )
    return TaskScore(task.name, task.metric, 100 * tally.score(), tally, kept, +counts)


def _bare(text: str, official: bool) -> str:
    """What is parsed: in the official mode every character, as the official scorer takes it."""
    return text if official else _AROUND.sub("", text)


def _gold(track: Track, task: Task, sample: Sample, official: bool) -> Any:
    text = track.prepare(_bare(sample.target, official))
    if isinstance(task, Label) and not text.strip():
        raise EvalError(f"Sample {sample.sample_id} of {task.name} has an empty label as target.")
    try:
        return task.parse(text, sample.answer_choices).answer
    except OddLine as error:
        raise EvalError(
            f"The target of sample {sample.sample_id} of {task.name} cannot be read: {error}."
        ) from None


def _misplaced(
    track: Track, by_task: dict[str, list[Sample]], predictions: Sequence[Prediction]
) -> str:
    """Why the official scorer would not match the answers with the samples, or nothing."""
    given: dict[str, list[str]] = defaultdict(list)
    for answer in predictions:
        given[answer.task_dataset].append(answer.sample_id)
    for name, samples in by_task.items():
        wanted = [sample.sample_id for sample in samples]
        if given[name] != wanted:
            what = (
                "samples are missing" if len(given[name]) < len(wanted) else "ids or order differ"
            )
            return f"{name}: {what}"
    if unknown := sum(len(ids) for task, ids in given.items() if task not in track.tasks):
        return f"{unknown} answers to no task of {track.name}"
    return ""


def _notes(
    track: Track,
    tasks: dict[str, TaskScore],
    samples: Sequence[Sample],
    predictions: Sequence[Prediction],
) -> tuple[str, ...]:
    notes: list[str] = []
    if absent := [name for name in track.tasks if name not in tasks]:
        notes.append(f"The mean is over {len(tasks)} tasks; no samples of: {', '.join(absent)}.")
    known = {sample.sample_id for sample in samples}
    if extra := sum(answer.sample_id not in known for answer in predictions):
        notes.append(f"{extra} answers belong to no sample and were left out.")
    for kind, said in (
        (MISSING, "samples have no answer and count as wrong"),
        (ODD, "answers cannot be read by the official parser and count as wrong"),
        (REASONING, "answers came with reasoning, which was left out"),
        (OTHER_CHOICES, "answers came with other choices than their sample"),
    ):
        if count := sum(task.counts[kind] for task in tasks.values()):
            notes.append(f"{count} {said}.")
    return tuple(notes)
