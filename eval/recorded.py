"""The runs and clinical results that a folder holds, each in a folder of its own."""

from __future__ import annotations

import fcntl
import itertools
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eval.clinical.differential import members as differential
from eval.clinical.discharge import run as discharge
from eval.clinical.result import RESULT, ClinicalResult, read_result
from eval.errors import EvalError
from eval.json_lines import read_objects
from eval.promptcblue.tracks import TRACKS
from eval.report import summary
from eval.run.folder import LOCK, read_settings
from eval.run.identity import digest
from eval.run.run import (
    OVERLAP,
    PREDICTIONS,
    RUN,
    SUBMISSION,
    read_answers,
    read_run,
    samples_digest,
)

_ASKED = {
    "differential": (differential.RUN, differential.ANSWERS, "cases"),
    "discharge": (discharge.RUN, discharge.DRAFTS, "encounters"),
}
"""Clinical evaluations that ask a model: their settings, their answers, the field of the count."""

_TOLD_BY = (RUN, RESULT, *(settings for settings, _, _ in _ASKED.values()))
"""Files of which a run has one."""

EVALUATIONS = "evaluations"
"""Where runs lie in the home folder unless they were told to lie elsewhere."""


@dataclass(frozen=True, slots=True)
class Headline:
    """The one number of a run, with its 95 % interval where it has one."""

    name: str
    value: float
    low: float | None
    high: float | None
    unit: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """One run as a list shows it.

    ``overlapping`` counts test texts that the examples' file covers for the most part, None where
    there was no such file.  ``problem`` says why it is not complete, or cannot be read.
    """

    name: str
    folder: Path
    kind: str
    title: str
    model: str
    made: str
    samples: int = 0
    answered: int = 0
    failed: int = 0
    running: bool = False
    headline: Headline | None = None
    overlapping: int | None = None
    problem: str = ""
    summary: dict[str, Any] = field(default_factory=dict, repr=False)
    result: ClinicalResult | None = field(default=None, repr=False)

    @property
    def comparable(self) -> bool:
        """Whether it can be set against another of the same samples."""
        return bool(self.summary)


def new_folder(home: Path, name: str, command: str) -> Path:
    """The folder that a run is put in when it was not told where: ``evaluations/<name>-<n>``.

    A run of the same ``command`` that was left before its end is gone on with.
    """
    plain = re.sub(r"[^\w.-]+", "-", name).strip("-.") or "run"
    for number in itertools.count(1):
        folder = home / EVALUATIONS / f"{plain}-{number}"
        if not folder.exists():
            break
        try:
            left = read_run(folder)["command"] == command and not is_running(folder)
        except (EvalError, KeyError):
            continue
        if left and not (folder / SUBMISSION).exists():
            break
    return folder


class Library:
    """The runs of one folder; what has not changed is not read again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known: dict[str, tuple[object, Recorded]] = {}

    def names(self) -> list[str]:
        """The names of the runs, the newest first."""
        if not self.folder.is_dir():
            return []
        found = [path for path in self.folder.iterdir() if _holds_a_run(path)]
        return [p.name for p in sorted(found, key=lambda p: p.stat().st_mtime, reverse=True)]

    def all(self) -> list[Recorded]:
        """Every run, the newest first."""
        return [self.get(name) for name in self.names()]

    def get(self, name: str) -> Recorded:
        """One run.

        Raises:
            EvalError: there is none of that name.
        """
        if name not in self.names():
            raise EvalError("There is no such run.")
        folder = self.folder / name
        state = (_signature(folder), is_running(folder))
        known = self._known.get(name)
        if known is None or known[0] != state:
            known = state, look(folder)
            self._known[name] = known
        return known[1]


def look(folder: Path) -> Recorded:
    """What ``folder`` holds; one that cannot be read says why."""
    try:
        if (folder / RESULT).exists():
            return _clinical(folder)
        if (folder / RUN).exists() or _asked_in(folder) is None:
            return _promptcblue(folder)
        return _begun(folder)
    except (EvalError, KeyError, TypeError, ValueError) as error:
        said = str(error) if isinstance(error, EvalError) else "It is of another version."
        return Recorded(folder.name, folder, "", folder.name, "", "", problem=said)


def is_running(folder: Path) -> bool:
    """Whether somebody is at work on the run."""
    try:
        lock = os.open(folder / LOCK, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def _clinical(folder: Path) -> Recorded:
    result = read_result(folder)
    head, asked = result.headline, _asked_in(folder)
    failed, running = asked.failed if asked else 0, is_running(folder)
    total = asked.total if asked and asked.total else head.n
    answered = asked.answered if asked else head.n
    problem = "" if head.n else "it rests on no case at all"
    if asked is not None and answered < total:
        problem = f"{answered} of {total} cases are answered"
    return Recorded(
        name=folder.name,
        folder=folder,
        kind=result.kind,
        title=result.title,
        model=str(result.model.get("name", "")),
        made=result.made,
        samples=total,
        answered=answered,
        failed=failed,
        running=running,
        headline=Headline(head.name, head.value, head.low, head.high, head.unit),
        problem=problem,
        result=result,
    )


def _begun(folder: Path) -> Recorded:
    """A clinical evaluation that has no result yet."""
    asked = _asked_in(folder)
    assert asked is not None
    return Recorded(
        name=folder.name,
        folder=folder,
        kind=asked.kind,
        title=asked.kind,
        model=asked.model,
        made="",
        samples=asked.total,
        answered=asked.answered,
        failed=asked.failed,
        running=is_running(folder),
        problem="it has no result yet",
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """How far a clinical evaluation is; ``total`` 0 where it is not written down."""

    kind: str
    model: str
    total: int
    answered: int
    failed: int


def _asked_in(folder: Path) -> _Asked | None:
    """What the folder of a clinical evaluation that asks a model tells of itself."""
    for kind, (settings, answers, total) in _ASKED.items():
        if not (folder / settings).exists():
            continue
        told = read_settings(folder / settings)
        path = folder / answers
        rows = {
            str(row.get("sample_id", "")): "failed" in row
            for _, row in (read_objects(path, whole_lines=True) if path.exists() else ())
        }
        failed = sum(rows.values())
        model = str((told.get("model") or {}).get("name", ""))
        return _Asked(kind, model, int(told.get(total, 0)), len(rows) - failed, failed)
    return None


def _promptcblue(folder: Path) -> Recorded:
    run = read_run(folder)
    track = TRACKS[run["track"]]
    samples, rows = read_answers(folder, track)
    known = {sample.sample_id for sample in samples}
    failed = sum("failed" in row for key, row in rows.items() if key in known)
    answered = sum("failed" not in row for key, row in rows.items() if key in known)
    running = is_running(folder)
    # While answers come in, scores of the first tasks would pass for those of all.
    data = {} if running or not answered else summary.of_run(folder)
    overlap = data.get("overlap")
    return Recorded(
        name=folder.name,
        folder=folder,
        kind=track.name,
        title=f"PromptCBLUE {track.name}",
        model=str(run["model"]["name"]),
        made=str(run["started"]),
        samples=len(samples),
        answered=answered,
        failed=failed,
        running=running,
        headline=_overall(data) if data else None,
        overlapping=int(overlap["overlapping"]) if overlap else None,
        problem=_problem(folder, run, samples_digest(samples), len(samples), answered, failed),
        summary=data,
    )


def _problem(
    folder: Path, run: dict[str, Any], data_sha256: str, samples: int, answered: int, failed: int
) -> str:
    """Why a run is not one to decide on; empty where it is."""
    if data_sha256 != run["data_sha256"] or digest(run["model"]) != run["model_sha256"]:
        return "its samples or its model were changed after it was made"
    if answered < samples:
        without = f", {failed} without an answer after every try" if failed else ""
        return f"{answered} of {samples} samples are answered{without}"
    return ""


def _overall(data: dict[str, Any]) -> Headline:
    overall = data["overall"]
    return Headline("overall", overall["score"], overall["low"], overall["high"], "")


def _holds_a_run(path: Path) -> bool:
    return path.name[0] != "." and any((path / name).is_file() for name in _TOLD_BY)


def _signature(folder: Path) -> object:
    answers = (name for _, name, _ in _ASKED.values())
    stats = (folder / name for name in (*_TOLD_BY, PREDICTIONS, OVERLAP, *answers))
    return tuple((s.stat().st_mtime_ns, s.stat().st_size) for s in stats if s.exists())
