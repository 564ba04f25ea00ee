"""What an approval is for: a model's files, how it computes and answers, and its prompts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import prompts
from assistant.approval.model_files import NotIdentified, plain_digest
from assistant.approval.options import Options, deciding, options
from assistant.engine_settings import EngineSettings
from assistant.settings import Settings
from assistant.work.assignment import every
from assistant.work.registry import Registry, installed
from assistant.work.task import AnyTask, PromptUse
from serving.engine import EngineUnavailable
from serving.engines.bigdl.engine import BigdlOptions
from serving.engines.openvino.engine import OpenVinoOptions
from serving.hardware import compute, cpu
from serving.models import manifest
from serving.models.manifest import ModelInvalid

NO_OPTION = "-"
"""Stands for a choice that an engine does not offer."""

GUIDANCE = "guidance"
"""Names what a task's chain adds to its template, beside the template's versions."""

_SMALLEST_KV = "u8"
"""What ``auto`` is, see `serving.hardware.compute.KvCache`."""

_BY_ITSELF: Mapping[str, Options] = {"openvino": OpenVinoOptions(), "bigdl": BigdlOptions()}
_IN_PRECISION = frozenset({"precision", "kv_cache", "environment", "low_bit"})
"""Options that are part of `Fingerprint.precision` and ``kv_cache`` already."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A model as it runs.  ``precision`` and ``kv_cache`` are those in use, never ``auto``.

    ``options`` are the others that an answer depends on (`assistant.approval.options.deciding`).
    """

    model: str
    engine_kind: str
    files_sha256: str
    precision: str
    kv_cache: str
    options: Mapping[str, str]

    def same_model(self, other: Fingerprint) -> bool:
        """Whether the same weights compute in the same way, whatever the model is called."""
        return not self.differences(other)

    def differences(self, other: Fingerprint) -> list[str]:
        """What differs, each as ``name: this, not that``."""
        mine, theirs = self._decides(), other._decides()
        return [
            f"{name}: {mine.get(name, NO_OPTION)}, not {theirs.get(name, NO_OPTION)}"
            for name in {**mine, **theirs}
            if mine.get(name) != theirs.get(name)
        ]

    def _decides(self) -> dict[str, str]:
        return {
            "engine_kind": self.engine_kind,
            "files_sha256": self.files_sha256,
            "precision": self.precision,
            "kv_cache": self.kv_cache,
            **self.options,
        }


def of_engine(chosen: EngineSettings, folder: Path, files_sha256: str) -> Fingerprint:
    """What a configured engine runs; ``files_sha256`` is the
    `assistant.approval.model_files.digest_of` its folders.

    Raises:
        NotIdentified: the folder cannot be read, or this machine cannot compute so.
    """
    run_with = options(chosen)
    settings = deciding(run_with) | {"processor": " ".join(cpu.flags())}
    if isinstance(run_with, BigdlOptions):
        details = {
            "engine": "bigdl",
            "package": run_with.environment,
            "low_bit": run_with.low_bit,
        }
        return _fingerprint(chosen.title, details, settings, files_sha256)
    try:
        weights = manifest.read(folder).settings
    except (OSError, ModelInvalid) as error:
        raise NotIdentified(str(error)) from error
    return _fingerprint(chosen.title, {"engine": "openvino", **weights}, settings, files_sha256)


def of_run(model: Mapping[str, Any]) -> Fingerprint:
    """What a recorded run was made with; ``model`` is its identity (``details``, ``settings``).

    An option that the run does not name is what the engine does by itself: runs name all since
    approvals are for them.

    Raises:
        NotIdentified: the run does not name the weights.
    """
    details, settings = model.get("details"), model.get("settings")
    if not isinstance(details, Mapping) or not isinstance(settings, Mapping):
        raise NotIdentified("the run does not say which model it was made with")
    files = settings.get("files_sha256")
    if not files:
        raise NotIdentified(
            "the run does not hold the hash of the model's files: it was made with a server or an "
            "engine without weights of its own"
        )
    by_itself = _BY_ITSELF.get(str(details.get("engine", "")))
    if by_itself is None:
        raise NotIdentified("the run was made with an engine that cannot be approved")
    known = {name: details[name] for name in ("chat_template_kwargs",) if name in details}
    settings = {**deciding(by_itself), **known, **settings}
    return _fingerprint(str(model.get("name", "")), details, settings, str(files))


def _fingerprint(
    name: str, details: Mapping[str, str], settings: Mapping[str, str], files_sha256: str
) -> Fingerprint:
    kind = details["engine"]
    others = {key: settings[key] for key in deciding(_BY_ITSELF[kind]) if key not in _IN_PRECISION}
    if kind == "bigdl":
        precision = f"{details['low_bit']} {details.get('package', '').split(' ')[0]}"
        return Fingerprint(name, kind, files_sha256, precision, NO_OPTION, others)
    precision = _openvino_precision(details, settings)
    kv_cache = settings["kv_cache"]
    in_use = _SMALLEST_KV if kv_cache == "auto" else kv_cache
    return Fingerprint(name, kind, files_sha256, precision, in_use, others)


def _openvino_precision(details: Mapping[str, str], settings: Mapping[str, str]) -> str:
    try:
        chosen = compute.properties(
            cast(compute.Compute, settings["precision"]),
            "auto",
            details,
            frozenset(settings.get("processor", "").split()),
        )
    except EngineUnavailable as error:
        raise NotIdentified(str(error)) from error
    group = chosen.get("DYNAMIC_QUANTIZATION_GROUP_SIZE")
    products = f"{details.get('weights', '')} {chosen['INFERENCE_PRECISION_HINT']}".strip()
    return products if group is None else f"{products} dynamic {group}"


def versions_in_use(settings: Settings, engine: str, tasks: Registry | None = None) -> set[str]:
    """The `prompts.Template.version` of each template that the tasks give to ``engine``."""
    return {
        f"{use.task}/{use.name}@{use.sha256[:8]}"
        if use.sha256
        else prompts.template(use.task, use.name).version
        for task in tasks or installed()
        for use in _uses(task, settings)
        if use.engine == engine
    }


def _uses(task: AnyTask, settings: Settings) -> list[PromptUse]:
    """The templates that a task gives to any engine, those that it is assigned among them."""
    return [use for one in every(settings, task.kind) for use in task.prompts(one)]


def prompts_in_use(
    settings: Settings, engine: str, tasks: Registry | None = None
) -> dict[str, str]:
    """The prompts that the tasks give to ``engine``: name → SHA-256.

    They are templates with their examples and schemas, and what a task adds to its template.
    """
    found = {}
    for task in tasks or installed():
        used = [use for use in _uses(task, settings) if use.engine == engine]
        guidance = task.guidance() if used else None
        for use in used:
            known = use.sha256 or prompts.fingerprint(use.task, use.name)
            found[f"{use.task}/{use.name}"] = known
            if guidance is not None:
                found[f"{use.task}/{GUIDANCE}"] = plain_digest(guidance)
    return dict(sorted(found.items()))


def prompts_of(version: str, in_use: Mapping[str, str]) -> dict[str, str]:
    """Those of ``in_use`` that went into a draft with this `prompts.Template.version`."""
    template = version.partition("@")[0]
    guidance = f"{template.partition('/')[0]}/{GUIDANCE}"
    return {name: value for name, value in in_use.items() if name in (template, guidance)}
