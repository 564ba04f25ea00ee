"""Precisions of one checkpoint compared on texts: what each costs, and what it changes.

Each is converted to a folder of its own and measured in a process of its own, one after the other,
so that no figure contains what another left behind.
"""

from __future__ import annotations

import json
import logging
import math
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from serving.ir import footprint
from serving.ir.architecture import Architecture, ArchitectureUnknown
from serving.ir.checkpoint import Checkpoint, CheckpointError
from serving.ir.convert import ConversionError, convert, load
from serving.ir.formats import Precision
from serving.ir.trial_worker import Reading
from serving.models.manifest import MODEL_FILE

Progress = Callable[[int, int, str], None]

# What the process needs besides weights and cache: libraries, buffers, one piece's logits.
_FULLEST = ("fp32", "bf16", "fp16", "int8", "int4")
_log = logging.getLogger("bedside.serving.ir.trial")


class TrialError(Exception):
    """Precisions cannot be compared; the message says why."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One precision.  ``agreement``: share of places where its first choice is the reference's.

    Where ``problem`` is not empty it was not measured, and that says why.
    """

    name: str
    perplexity: float = math.nan
    agreement: float = math.nan
    prompt_speed: float = 0.0
    decode_speed: float = 0.0
    resident_bytes: int = 0
    stored_bytes: int = 0
    seconds_to_convert: float = 0.0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Trial:
    """All precisions, the fullest first.  ``reference``: the name of the one that the others are
    compared with; ``note``: why it is not the checkpoint's own precision, or empty."""

    outcomes: tuple[Outcome, ...]
    reference: str
    tokens: int
    note: str = ""


def compare(
    source: Path,
    precisions: Sequence[Precision],
    texts: Sequence[str],
    scratch: Path,
    progress: Progress | None = None,
    *,
    family: str = "",
    keep: bool = False,
    most_tokens: int = 2048,
) -> Trial:
    """Convert and measure ``source`` in each precision, and in its own as the reference.

    ``scratch`` receives one folder a precision, which are removed unless ``keep``.  A precision
    that does not fit the memory is left out with a sentence.

    Raises:
        TrialError: the checkpoint cannot be converted, or no precision fits.
    """
    report = progress or (lambda done, total, what: None)
    try:
        checkpoint, architecture = load(source, family)
    except (CheckpointError, ArchitectureUnknown) as error:
        raise TrialError(str(error)) from error
    own = _own_precision(checkpoint)
    wanted = sorted({own, *precisions}, key=lambda p: _FULLEST.index(p.weights))
    outcomes, readings = [], []
    for number, precision in enumerate(wanted):
        report(number, len(wanted), "precisions")
        outcome, reading = _try(
            source, precision, architecture, list(texts), scratch, report, family, keep, most_tokens
        )
        outcomes.append(outcome)
        readings.append(reading)
    report(len(wanted), len(wanted), "precisions")
    return _judged(outcomes, readings, label(own))


def compare_folders(
    folders: Mapping[str, Path],
    texts: Sequence[str],
    progress: Progress | None = None,
    *,
    most_tokens: int = 2048,
) -> Trial:
    """Measure converted models under their names; the first is the reference.

    Raises:
        TrialError: none can be measured, or they do not cut the texts into the same tokens.
    """
    report = progress or (lambda done, total, what: None)
    outcomes: list[Outcome] = []
    readings: list[Reading | None] = []
    for number, (name, folder) in enumerate(folders.items()):
        report(number, len(folders), f"{name}: measuring")
        try:
            reading = _measured(folder, list(texts), most_tokens)
        except _NotMeasured as error:
            outcomes.append(Outcome(name, problem=str(error)))
            readings.append(None)
            continue
        outcomes.append(_outcome(name, folder, reading))
        readings.append(reading)
    report(len(folders), len(folders), "measuring")
    counts = {reading.scored for reading in readings if reading is not None}
    if len(counts) > 1:
        raise TrialError(
            "The models cut the texts into different numbers of tokens: they are not the same "
            "model at different precisions."
        )
    return _judged(outcomes, readings, next(iter(folders)))


def label(precision: Precision) -> str:
    """A precision in one word: ``int4-g128``, ``int4-g32-symmetric-head-int4``, ``int8``."""
    if precision.weights != "int4":
        return precision.weights
    parts = ["int4", f"g{precision.group}" if precision.group else "channel"]
    if precision.symmetric:
        parts.append("symmetric")
    if precision.int8_share:
        parts.append(f"share{precision.int8_share:g}")
    for what, kind in (("head", precision.head), ("embedding", precision.embedding)):
        if kind != "int8":
            parts.append(f"{what}-{kind}")
    return "-".join(parts)


def _try(
    source: Path,
    precision: Precision,
    architecture: Architecture,
    texts: list[str],
    scratch: Path,
    report: Progress,
    family: str,
    keep: bool,
    most_tokens: int,
) -> tuple[Outcome, Reading | None]:
    name = label(precision)
    needed, free = (
        footprint.needed_memory(architecture, precision),
        psutil.virtual_memory().available,
    )
    if needed > free:
        return Outcome(
            name,
            problem=f"needs about {needed / 1e9:.1f} GB of memory; {free / 1e9:.1f} GB are free",
        ), None
    folder = scratch / name
    started = time.monotonic()
    try:
        convert(
            source,
            folder,
            precision,
            lambda done, total, what: report(done, total, f"{name}: {what}"),
            family=family,
            head_texts=texts if precision.chooses_head else (),
        )
        seconds = time.monotonic() - started
        report(0, 0, f"{name}: measuring")
        reading = _measured(folder, texts, most_tokens)
        report(1, 1, f"{name}: measuring")
        outcome = _outcome(name, folder, reading)
    except ConversionError as error:
        return Outcome(name, problem=str(error)), None
    except _NotMeasured as error:
        return Outcome(name, problem=str(error)), None
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
    _log.info("%s: %d tokens scored", name, reading.scored)
    return replace(outcome, seconds_to_convert=seconds), reading


def _outcome(name: str, folder: Path, reading: Reading) -> Outcome:
    return Outcome(
        name,
        perplexity=math.exp(reading.nats / reading.scored),
        prompt_speed=reading.prompt_speed,
        decode_speed=reading.decode_speed,
        resident_bytes=reading.resident,
        stored_bytes=(folder / MODEL_FILE).with_suffix(".bin").stat().st_size,
    )


class _NotMeasured(Exception):
    """The process that measures has ended without an answer, or with a reason."""


def _measured(folder: Path, texts: list[str], most_tokens: int) -> Reading:
    command = [sys.executable, "-m", "serving.ir.trial_worker"]
    request = {"folder": str(folder), "texts": texts, "most_tokens": most_tokens}
    run = subprocess.run(
        command, input=json.dumps(request).encode(), stdout=subprocess.PIPE, check=False
    )
    try:
        answer = json.loads(run.stdout)
    except ValueError:
        why = "out of memory?" if run.returncode == -9 else f"status {run.returncode}"
        raise _NotMeasured(f"the process that measured it ended ({why})") from None
    if "problem" in answer:
        raise _NotMeasured(answer["problem"])
    return Reading(**answer)


def _own_precision(checkpoint: Checkpoint) -> Precision:
    """The narrowest precision that loses nothing of the checkpoint, or nothing that matters."""
    names = [name for name in checkpoint.names() if len(checkpoint.shape(name)) == 2]
    kinds = {checkpoint.kind(name) for name in names}
    if kinds & {"F32", "F64"}:
        return Precision("fp32")
    return Precision("bf16" if "BF16" in kinds else "fp16")


def _judged(outcomes: list[Outcome], readings: list[Reading | None], own: str) -> Trial:
    measured = [
        (at, outcome.name, reading)
        for at, (outcome, reading) in enumerate(zip(outcomes, readings, strict=True))
        if reading is not None
    ]
    if not measured:
        raise TrialError(f"{outcomes[-1].name}: {outcomes[-1].problem}.")
    _, reference, fullest = measured[0]
    for at, _, reading in measured:
        same = sum(map(int.__eq__, reading.likeliest, fullest.likeliest))
        outcomes[at] = replace(outcomes[at], agreement=same / fullest.scored)
    why = next(outcome.problem for outcome in outcomes if outcome.name == own)
    note = f"{own} was left out: {why}. The others are compared with {reference}." if why else ""
    return Trial(tuple(outcomes), reference, fullest.scored, note)
