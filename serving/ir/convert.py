"""Checkpoint → a folder that serves: model, tokenizer, manifest; whole, or not there."""

from __future__ import annotations

import errno
import hashlib
import importlib.metadata
import json
import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

from serving.ir import base_shape, calibrated, decoder, families, head_choice, sensitivity
from serving.ir.adapter import AdaptedCheckpoint
from serving.ir.architecture import Architecture, ArchitectureUnknown
from serving.ir.calibrated import CalibrationUnavailable
from serving.ir.checkpoint import Checkpoint, CheckpointError
from serving.ir.checkpoint_opening import open_checkpoint
from serving.ir.coded_checkpoint import method_of
from serving.ir.description import describe
from serving.ir.digests import Digests
from serving.ir.footprint import needed_memory, stored_bytes
from serving.ir.formats import OptionInvalid, Precision
from serving.ir.head_choice import Chooser
from serving.ir.scheme import QuantizationError
from serving.ir.serialization import GraphUnknown, write_graph
from serving.ir.token_set import TokenizerError
from serving.ir.tokenizer import TokenizerFacts, convert_tokenizer
from serving.ir.weight_file import WeightFile
from serving.ir.weights import Weights
from serving.ir.workspace import workspace
from serving.models import manifest
from serving.models.manifest import Manifest

Progress = Callable[[int, int, str], None]
Provenance = Callable[[], Mapping[str, str]]

_SPARE = 64 << 20
_FAULTS = (
    ArchitectureUnknown,
    CalibrationUnavailable,
    CheckpointError,
    GraphUnknown,
    OptionInvalid,
    QuantizationError,
    TokenizerError,
)
_log = logging.getLogger("bedside.serving.ir.convert")


class ConversionError(Exception):
    """A checkpoint cannot be converted; the message names the file and says what to do."""


def convert(
    source: Path,
    target: Path,
    precision: Precision | None = None,
    progress: Progress | None = None,
    *,
    name: str = "",
    licence: str = "",
    demo_only: bool = False,
    family: str = "",
    calibration: Sequence[str] = (),
    adapter: Path | None = None,
    memory: int = 0,
    head_texts: Sequence[str] = (),
) -> Manifest:
    """Write the OpenVINO form of ``source`` to the folder ``target``.

    ``source``: a Hugging Face folder with safetensors, or a GGUF file.  ``progress(done, total,
    what)`` counts weights.  ``family`` says which one where the configuration does not.
    ``calibration``: texts to fit INT4 to (see `serving.ir.calibrated`).  ``adapter``: a folder with
    what was learned over ``source`` (see `serving.ir.adapter`), which goes into its weights.
    ``memory``: bytes of the machine that is to serve it; 0: not known.  ``head_texts``: what a head
    whose form ``precision`` leaves open is judged by.

    A process that is killed leaves nothing that loads; the next run removes what it left.

    Raises:
        ConversionError: the source, the disk or the memory does not allow it, or ``target`` is
            there already.
    """
    wanted = precision or Precision()
    report = progress or (lambda done, total, what: None)
    target = target.absolute()
    if target.exists():
        raise ConversionError(f"{target} is there already; remove it, or choose another name.")
    try:
        with workspace(target) as work:
            made = _convert(
                source, work, wanted, report, family, calibration, adapter, memory, head_texts
            )
            made = replace(made, name=name or target.name, licence=licence, demo_only=demo_only)
            made.write(work)
            work.rename(target)
    except _FAULTS as error:
        raise ConversionError(str(error)) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise ConversionError(_not_written(target.parent)) from error
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY):
            raise ConversionError(f"{target} was made meanwhile; nothing was replaced.") from error
        place = error.filename or target.parent
        raise ConversionError(f"{place}: {error.strerror or error}.") from error
    _log.info("converted a checkpoint of %s", made.architecture)
    return made


def load(
    source: Path, family: str = "", adapter: Path | None = None
) -> tuple[Checkpoint, Architecture]:
    """Open a checkpoint and check that every tensor is there in its shape.

    Raises:
        CheckpointError, ArchitectureUnknown: as their messages say.
    """
    checkpoint = open_checkpoint(source)
    checkpoint.refuse_quantised()
    if adapter is not None:
        checkpoint = AdaptedCheckpoint(checkpoint, adapter)
    try:
        architecture = describe(checkpoint.config, family)
    except ArchitectureUnknown as error:
        raise ArchitectureUnknown(f"{source}: {error}") from error
    for matrix in architecture.matrices:
        matrix.check(checkpoint)
    return checkpoint, architecture


def _convert(
    source: Path,
    work: Path,
    precision: Precision,
    report: Progress,
    family: str,
    calibration: Sequence[str],
    adapter: Path | None,
    memory: int,
    head_texts: Sequence[str],
) -> Manifest:
    if calibration:
        calibrated.require()
    report(0, 1, "reading")
    checkpoint, architecture = load(source, family, adapter)
    if calibration:
        precision = calibrated.fitted(precision, architecture)
    _check_memory(architecture, precision, memory)
    _check_disk(work, architecture, precision, calibrated=bool(calibration))
    digests = Digests(checkpoint)
    family = families.tokenizer_of(architecture.family)
    facts = convert_tokenizer(
        checkpoint.path, work, family, architecture.context_length, checkpoint.metadata
    )
    report(1, 1, "reading")
    judging = None
    if precision.chooses_head:
        judging = head_choice.chooser(work, architecture, precision, head_texts, report)
        if judging is None:
            precision = replace(precision, head="int8")
    chosen = precision.words() | precision.narrowed(architecture.widths)
    if calibration:
        chosen |= calibrated.words(calibration)
    if (method := method_of(checkpoint.config)) and precision.weights == "int4":
        chosen["codes_of"] = method
    if adapter is not None:
        chosen["adapter"] = adapter.resolve().name

    def provenance() -> dict[str, str]:
        if judging is not None and judging.chosen is not None:
            chosen.update(head=judging.chosen.kind, head_measured=judging.chosen.told)
        return {
            "source": source.name,
            **{f"sha256 {file}": digest for file, digest in digests.result().items()},
            "family": architecture.family,
            "bedside": importlib.metadata.version("bedside"),
            **chosen,
        }

    if calibration:
        _write_calibrated(
            checkpoint, architecture, precision, work, report, provenance, calibration
        )
    else:
        write_model(checkpoint, architecture, precision, work, report, provenance, judging)
    _write_generation_config(work, facts)
    base_shape.write(work, checkpoint.config, architecture.family)
    report(0, 1, "checking")
    files = {path.name: manifest.sha256_of(path) for path in sorted(work.iterdir())}
    report(1, 1, "checking")
    return Manifest(
        name="",
        source=source.name,
        source_sha256=_combined(digests.result()),
        context_length=architecture.context_length,
        architecture=architecture.family,
        control_tokens=tuple(sorted(facts.control_tokens)),
        end_token_ids=tuple(facts.end_token_ids),
        files=files,
        settings={
            "prepared_from": type(checkpoint).__name__.removesuffix("Checkpoint").lower(),
            **chosen,
        },
    )


def write_model(
    checkpoint: Checkpoint,
    architecture: Architecture,
    precision: Precision,
    folder: Path,
    report: Progress,
    provenance: Provenance,
    chooser: Chooser | None = None,
) -> None:
    """``openvino_model.xml`` and ``.bin`` in ``folder``.  ``provenance`` is asked for when the
    weights are there.  ``chooser``: of the head's form, where ``precision`` leaves it open.

    Raises:
        ConversionError: the disk is full.
    """
    total = sum(prod(matrix.shape) for matrix in architecture.matrices)
    count = 0

    def done(tensor: str, weights: int) -> None:
        nonlocal count
        count += weights
        report(min(count, total), total, "converting weights")

    wide = sensitivity.widest(
        architecture,
        checkpoint,
        precision.narrow,
        precision.int8_share if precision.weights == "int4" else 0.0,
        lambda number, of: report(number, of, "judging sensitivity"),
    )
    with WeightFile(folder / manifest.WEIGHTS_FILE) as file:
        weights = Weights(checkpoint, precision, file, done, wide, chooser)
        model = decoder.build(architecture, weights)
        for key, value in provenance().items():
            model.set_rt_info(value, ["bedside", key])
        report(0, 1, "writing")
        _save(model, folder, file)
        del model
    report(1, 1, "writing")


def _write_calibrated(
    checkpoint: Checkpoint,
    architecture: Architecture,
    precision: Precision,
    folder: Path,
    report: Progress,
    provenance: Provenance,
    texts: Sequence[str],
) -> None:
    full = folder / "full"
    full.mkdir()
    write_model(checkpoint, architecture, Precision("fp16"), full, report, provenance)
    report(0, 1, "calibrating")
    model = calibrated.compress(full / manifest.MODEL_FILE, folder, texts, precision)
    report(1, 1, "calibrating")
    with WeightFile(folder / manifest.WEIGHTS_FILE) as file:
        _save(model, folder, file)
    shutil.rmtree(full)


def _save(model: Any, folder: Path, file: WeightFile) -> None:
    path = folder / manifest.MODEL_FILE
    try:
        write_graph(model, path, file)
    except RuntimeError as error:
        raise ConversionError(f"{path}: {_not_written(folder)}") from error


def _check_memory(architecture: Architecture, precision: Precision, memory: int) -> None:
    needed = needed_memory(architecture, precision)
    if memory and needed > memory:
        raise ConversionError(
            f"Serving this model in {precision.weights} takes about {needed / 1e9:.1f} GB of "
            f"memory; this machine has {memory / 1e9:.1f} GB. Choose a smaller precision or model, "
            "or convert it for a larger machine with --for-another-machine. Nothing was written."
        )


def _check_disk(
    folder: Path, architecture: Architecture, precision: Precision, *, calibrated: bool
) -> None:
    needed = stored_bytes(architecture, precision) + _SPARE
    if calibrated:
        # The sixteen-bit model that calibration reads.
        needed += stored_bytes(architecture, Precision("fp16"))
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise ConversionError(
            f"{folder.parent} has {free / 1e9:.1f} GB free; converting this model needs "
            f"{needed / 1e9:.1f} GB there{' (most of it only while it runs)' * calibrated}."
        )


def _write_generation_config(folder: Path, facts: TokenizerFacts) -> None:
    ends = list(facts.end_token_ids)
    values = {
        "bos_token_id": facts.bos_id,
        "eos_token_id": ends[0] if len(ends) == 1 else ends,
        "pad_token_id": facts.pad_id,
    }
    text = json.dumps({key: value for key, value in values.items() if value not in (None, [])})
    (folder / "generation_config.json").write_text(text + "\n", encoding="utf-8")


def _combined(digests: dict[str, str]) -> str:
    """One hash of all source files: that of the file, or of the sorted list of names and hashes."""
    if len(digests) == 1:
        return next(iter(digests.values()))
    listed = "".join(f"{digest}  {file}\n" for file, digest in sorted(digests.items()))
    return hashlib.sha256(listed.encode()).hexdigest()


def _not_written(folder: Path) -> str:
    return (
        f"The disk of {folder} takes no more ({shutil.disk_usage(folder).free / 1e9:.1f} GB are "
        "free there, which a quota or a limit on the size of files may cut short, see "
        "`ulimit -f`); make room and try again."
    )
