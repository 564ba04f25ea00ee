"""A run: samples, a model and settings in one folder, which goes on where it was left.

The folder holds ``run.json`` (all that changes an answer), ``samples.jsonl`` (the samples with
their targets), ``predictions.jsonl`` (a line an answer, in the order of answering) and, when every
sample has an answer, ``submission.jsonl`` (the same in the order of the samples).
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from eval.json_lines import read_objects
from eval.overlap import Overlap
from eval.promptcblue.sample import Sample, read_samples
from eval.promptcblue.tracks import Track
from eval.run.asking import Patience
from eval.run.cache import Cache
from eval.run.execute import Executor, Outcome
from eval.run.few_shot import Retriever
from eval.run.folder import alone, read_settings, same_settings
from eval.run.identity import digest, engine_identity, texts_digest
from eval.run.journal import Journal, write_whole
from eval.run.model import OpenModel
from eval.run.request import TEMPLATE, Request, make_request
from serving.engine import Sampling

RUN = "run.json"
SAMPLES = "samples.jsonl"
PREDICTIONS = "predictions.jsonl"
SUBMISSION = "submission.jsonl"
OVERLAP = "overlap.json"


@dataclass(frozen=True, slots=True)
class RunSettings:
    """What is asked and how."""

    track: Track
    samples: Sequence[Sample]
    sampling: Sampling = field(default_factory=Sampling)
    constrained: bool = False
    max_tokens: int = 0
    shots: int = 0
    retriever: Retriever | None = None
    retrieval: str = ""
    train_digest: str = ""
    overlap: Overlap | None = None
    parallel: int = 8
    command: str = ""
    sources: tuple[str, ...] = ()


def start(
    folder: Path,
    settings: RunSettings,
    model: OpenModel,
    *,
    cache: Cache | None = None,
    patience: Patience | None = None,
    quiet: bool = False,
) -> Outcome:
    """Run, or go on with the run that ``folder`` holds.

    Raises:
        EvalError: the folder holds another run, or is in use.
        Unreachable: the model is gone; what was answered is kept.
    """
    identity = engine_identity(model.engine, model.settings)
    with alone(folder):
        same_settings(folder / RUN, folder / PREDICTIONS, _description(settings, identity))
        write_whole(folder / SAMPLES, _lines([sample.to_json() for sample in settings.samples]))
        if settings.overlap is not None:
            found = json.dumps(settings.overlap.to_json(), ensure_ascii=False, indent=1)
            write_whole(folder / OVERLAP, found)
        with Journal(folder / PREDICTIONS) as journal:
            executor = Executor(
                model.engine,
                digest(identity),
                journal,
                cache if model.fixed else None,
                patience or Patience(),
                settings.parallel,
            )
            requests = _requests(settings, model, journal)
            outcome = asyncio.run(executor.run(requests, len(settings.samples), quiet=quiet))
            rows = [journal.answered.get(sample.sample_id) for sample in settings.samples]
            if all(row is not None and "failed" not in row for row in rows):
                write_whole(folder / SUBMISSION, _lines([row for row in rows if row]))
    return outcome


def _requests(settings: RunSettings, model: OpenModel, journal: Journal) -> Iterator[Request]:
    """Made one by one, as they are asked: a retrieval or a count of tokens takes its time."""
    for sample in settings.samples:
        shots: list[Sample] = []
        answered = sample.sample_id in journal.answered
        if settings.retriever is not None and settings.shots and not answered:
            name = sample.task_dataset
            shots = settings.retriever.nearest(name, sample.input, settings.shots)
        yield make_request(
            sample,
            settings.track.tasks[sample.task_dataset],
            model.engine,
            settings.sampling,
            shots,
            constrained=settings.constrained,
            max_tokens=settings.max_tokens,
        )


def _description(settings: RunSettings, identity: dict[str, Any]) -> dict[str, Any]:
    return {
        "format": 1,
        "track": settings.track.name,
        "model": identity,
        "model_sha256": digest(identity),
        "template": TEMPLATE,
        "sampling": asdict(settings.sampling),
        "max_tokens": settings.max_tokens,
        "constrained": settings.constrained,
        "shots": settings.shots,
        "retrieval": settings.retrieval,
        "train_sha256": settings.train_digest,
        "samples": len(settings.samples),
        "data_sha256": samples_digest(settings.samples),
        "prompts_sha256": texts_digest(
            json.dumps(settings.track.tasks[s.task_dataset].grammar(s)) + s.input
            if settings.constrained
            else s.input
            for s in settings.samples
        ),
        "parallel": settings.parallel,
        "command": settings.command,
        "sources": list(settings.sources),
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }


def samples_digest(samples: Sequence[Sample]) -> str:
    """SHA-256 of samples with their targets, in order."""
    return texts_digest(
        json.dumps(sample.to_json(), ensure_ascii=False, sort_keys=True) for sample in samples
    )


def read_run(folder: Path) -> dict[str, Any]:
    """What ``run.json`` of a run folder says.

    Raises:
        EvalError: there is none, or it cannot be read.
    """
    return read_settings(folder / RUN)


def read_answers(folder: Path, track: Track) -> tuple[list[Sample], dict[str, dict[str, Any]]]:
    """The samples of a run folder, and its answers and failures by sample id.

    A half line at the end, as of a run that was killed or goes on, is passed over.
    """
    needs = {name: task.needs_choices for name, task in track.tasks.items()}
    samples = read_samples(folder / SAMPLES, needs)
    path = folder / PREDICTIONS
    found = read_objects(path, whole_lines=True) if path.exists() else ()
    rows = {str(row.get("sample_id", "")): row for _, row in found}
    return samples, rows


def _lines(rows: Sequence[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
