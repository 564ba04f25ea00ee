"""What a report says, as plain data: the same for HTML, Markdown and JSON."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from eval.promptcblue.prediction import read_predictions
from eval.promptcblue.sample import Sample, read_samples
from eval.promptcblue.score import MISSING, Judged, Scores, TaskScore, score
from eval.promptcblue.tasks.labels import Label
from eval.promptcblue.tracks import TRACKS, Track
from eval.run.identity import texts_digest, versions
from eval.run.run import OVERLAP, PREDICTIONS, read_answers, read_run, samples_digest
from eval.significance import RESAMPLES, intervals

WORST = 5
"""Worst answers that are shown a task."""

FEW = 30
"""Tasks with fewer samples than this have intervals that say little."""

CLASSES = 16
"""Labels that a confusion picture has room for; rarer ones are gathered."""

GATHERED = "（其他 others）"
UNANSWERED = "（无答案 none）"

REFERENCES = (
    ("ChatGLM-6B LoRA", 64.48),
    ("ChatGLM-6B P-tuning", 60.95),
    ("ChatGPT, in context", 42.08),
)
"""Overall scores published for the development set of the 16 tasks."""


def of_run(folder: Path, *, worst: int = WORST, resamples: int = RESAMPLES) -> dict[str, Any]:
    """The summary of a run folder.  Raises `EvalError` where it holds none."""
    run = read_run(folder)
    track = TRACKS[run["track"]]
    samples, rows = read_answers(folder, track)
    known = {sample.sample_id: sample for sample in samples}
    answered = {key: row for key, row in rows.items() if "failed" not in row}
    predictions = [
        prediction
        for prediction in read_predictions(folder / PREDICTIONS, known, whole_lines=True)
        if prediction.sample_id in known
    ]
    scores = score(track, samples, predictions)
    summary = _summary(track, samples, scores, worst, resamples)
    summary["run"] = run
    summary["cost"] = cost(list(answered.values()))
    summary["failures"] = Counter(
        str(row["failed"]).split(":")[0] for row in rows.values() if "failed" in row
    )
    summary["hashes"] = {
        "model": run["model_sha256"],
        "model files": run["model"]["settings"].get("files_sha256")
        or run["model"]["details"].get("sha256", ""),
        "data": run["data_sha256"],
        "prompts": run["prompts_sha256"],
        "train file": run["train_sha256"],
        "answers": texts_digest(f"{p.sample_id}\n{p.text}" for p in predictions),
    }
    found = folder / OVERLAP
    summary["overlap"] = json.loads(found.read_text("utf-8")) if found.exists() else None
    return summary


def of_files(
    track: Track,
    gold: Path,
    answers: Path,
    *,
    command: str = "",
    worst: int = WORST,
    resamples: int = RESAMPLES,
) -> dict[str, Any]:
    """The summary of a file of answers that something else made."""
    needs = {name: task.needs_choices for name, task in track.tasks.items()}
    samples = read_samples(gold, needs)
    predictions = read_predictions(answers, {sample.sample_id: sample for sample in samples})
    summary = _summary(track, samples, score(track, samples, predictions), worst, resamples)
    summary["run"] = {"command": command, "sources": [str(gold), str(answers)]}
    summary["hashes"] = {
        "data": samples_digest(samples),
        "answers": texts_digest(f"{p.sample_id}\n{p.text}" for p in predictions),
    }
    return summary


def _summary(
    track: Track, samples: Sequence[Sample], scores: Scores, worst: int, resamples: int
) -> dict[str, Any]:
    overall, by_task = intervals(scores, resamples)
    return {
        "format": 1,
        "track": track.name,
        "made": time.strftime("%Y-%m-%d %H:%M %z"),
        "versions": versions(),
        "samples": len(samples),
        "answered": len(samples) - sum(t.counts[MISSING] for t in scores.tasks.values()),
        "resamples": resamples,
        "overall": {"score": overall.score, "low": overall.low, "high": overall.high},
        "references": REFERENCES if track.name == "ccks2023" else (),
        "notes": [*scores.notes, *_few(scores)],
        "tasks": [
            {
                "name": name,
                "metric": task.metric,
                "score": task.score,
                "low": by_task[name].low,
                "high": by_task[name].high,
                "samples": len(task.judged),
                "flaws": dict(task.counts),
                "confusion": confusion(task) if isinstance(track.tasks[name], Label) else None,
                "worst": [_shown(judged) for judged in _worst(task, worst)],
            }
            for name, task in scores.tasks.items()
        ],
        "run": {},
        "hashes": {},
        "cost": None,
        "failures": {},
        "overlap": None,
    }


def _few(scores: Scores) -> list[str]:
    few = [name for name, task in scores.tasks.items() if len(task.judged) < FEW]
    if not few:
        return []
    which = "All tasks" if len(few) == len(scores.tasks) else ", ".join(few)
    return [f"{which}: fewer than {FEW} samples, too few to decide on."]


def confusion(task: TaskScore) -> dict[str, Any]:
    """Labels, commonest in gold first, and how often each was answered for each."""
    golds = Counter(judged.gold for judged in task.judged)
    pairs = Counter(
        (judged.gold, judged.parsed.answer if judged.parsed else UNANSWERED)
        for judged in task.judged
    )
    answers = Counter(answer for _, answer in pairs.elements())
    ranked = [label for label, _ in golds.most_common()]
    ranked += [label for label, _ in answers.most_common() if label not in golds]
    kept = ranked if len(ranked) <= CLASSES else [*ranked[: CLASSES - 1], GATHERED]
    index = {label: min(place, len(kept) - 1) for place, label in enumerate(ranked)}
    counts = np.zeros((len(kept), len(kept)), np.int64)
    for (gold, answer), count in pairs.items():
        counts[index[gold], index[answer]] += count
    return {"labels": kept, "counts": counts.tolist()}


def _worst(task: TaskScore, count: int) -> list[Judged]:
    wrong = [judged for judged in task.judged if judged.goodness < 1 - 1e-6]
    return sorted(wrong, key=lambda judged: judged.goodness)[:count]


def _shown(judged: Judged) -> dict[str, Any]:
    return {
        "sample_id": judged.sample.sample_id,
        "prompt": judged.sample.input,
        "gold": judged.sample.target,
        "answer": judged.text,
        "goodness": judged.goodness,
        "flaws": sorted(flaw.value for flaw in judged.parsed.flaws) if judged.parsed else [],
    }


def cost(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Time and tokens of the answers that the model gave, those from the cache apart."""
    asked = [row for row in rows if not row.get("from_cache") and "usage" in row]
    if not asked:
        return None
    usage = [row["usage"] for row in asked]
    return {
        "asked": len(asked),
        "from_cache": len(rows) - len(asked),
        "cut_off": sum(row.get("finish_reason") == "length" for row in rows),
        "asked_again": sum(row.get("attempts", 1) > 1 for row in asked),
        "prompt_tokens": sum(u["prompt_tokens"] for u in usage),
        "cached_tokens": sum(u["cached_tokens"] for u in usage),
        "new_tokens": sum(u["new_tokens"] for u in usage),
        "seconds": _quantiles([row["seconds"] for row in asked]),
        "seconds_to_first_token": _quantiles([u["seconds_to_first_token"] for u in usage]),
        "seconds_per_token": _quantiles(
            [u["seconds_per_token"] for u in usage if u["seconds_per_token"]]
        ),
    }


def _quantiles(values: Sequence[float]) -> dict[str, float]:
    if not values:
        return {"median": 0.0, "p95": 0.0, "max": 0.0}
    median, p95 = np.percentile(values, (50, 95))
    return {"median": float(median), "p95": float(p95), "max": float(max(values))}
