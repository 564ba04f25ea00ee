"""Opening the model that is to be measured."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast, get_args

from assistant.approval.model_files import digest_of
from assistant.approval.options import deciding
from eval.errors import EvalError
from serving.engine import Engine, EngineError
from serving.hardware import cpu
from serving.hardware.compute import Compute, KvCache
from serving.models.manifest import ModelInvalid

COMPUTES: tuple[str, ...] = get_args(Compute)
KV_CACHES: tuple[str, ...] = get_args(KvCache)

_DECIDING = ("amx", "avx512_bf16", "avx512_vnni")


@dataclass(frozen=True, slots=True)
class OpenModel:
    """An engine, with the settings that change its answers.

    ``fixed`` says whether ``settings`` pin the weights down: where they do not (a server that may
    load others under the same name), an answer is not kept for another run.
    """

    engine: Engine
    settings: dict[str, str] = field(default_factory=dict)
    fixed: bool = True


OpenConfigured = Callable[[str], tuple[Engine, Mapping[str, str]]]
"""Opens an engine of the configuration by its name, the default one for an empty name.

Beside the engine it gives the settings that change answers; ``folder`` among them is where the
model's files are.
"""


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """Which model: a configured engine, a folder, an endpoint, or the echo engine; one of them."""

    engine: str | None = None
    folder: Path | None = None
    url: str = ""
    model: str = ""
    api_key_env: str = ""
    weights: str = ""
    echo: bool = False
    precision: str = "auto"
    kv_cache: str = "auto"
    cache_gib: int = 1
    parallel: int = 8
    context_length: int = 0

    @property
    def asked(self) -> bool:
        """Whether a model is named at all."""
        return any(self._named)

    @property
    def _named(self) -> tuple[bool, ...]:
        return self.engine is not None, self.folder is not None, bool(self.url), self.echo

    def check(self) -> None:
        """Raise `EvalError` unless exactly one model is named."""
        if sum(self._named) != 1:
            raise EvalError("Name one model: --engine, --folder, --url or --echo.")
        if self.url and not self.model:
            raise EvalError("--url needs --model, the model's name on that server.")
        for given, known in ((self.precision, COMPUTES), (self.kv_cache, KV_CACHES)):
            if given not in known:
                raise EvalError(f"There is no precision {given!r}; there are: {', '.join(known)}.")


def open_model(choice: ModelChoice, configured: OpenConfigured | None) -> OpenModel:
    """Open what ``choice`` names.

    Raises:
        EvalError: it cannot be opened.
    """
    from serving.engines.echo import EchoEngine

    choice.check()
    try:
        if choice.engine is not None:
            if configured is None:
                raise EvalError("Configured engines are opened by `bedside eval run` alone.")
            return _configured(*configured(choice.engine))
        if choice.folder is not None:
            return _folder(choice, choice.folder)
        if choice.url:
            return _remote(choice)
    except (EngineError, ModelInvalid) as error:
        raise EvalError(f"The model cannot be opened: {error}") from error
    capacity = max(1, choice.parallel)
    return OpenModel(EchoEngine(max_running=capacity, queue_limit=2 * capacity))


def _configured(engine: Engine, settings: Mapping[str, str]) -> OpenModel:
    known = dict(settings)
    folders = [known.pop(name, "") for name in ("folder", "adapter_folder")]
    if folders[0]:
        known |= _files(*(Path(folder) for folder in folders if folder))
    return OpenModel(engine, known, fixed=engine.card.details.get("engine") != "remote")


def _folder(choice: ModelChoice, folder: Path) -> OpenModel:
    from serving.engines.openvino.engine import OpenVinoOptions
    from serving.engines.openvino.worker_engine import WorkerEngine

    options = OpenVinoOptions(
        cache_size_gb=choice.cache_gib,
        max_num_seqs=choice.parallel,
        queue_limit=max(32, 2 * choice.parallel),
        precision=cast(Compute, choice.precision),
        kv_cache=cast(KvCache, choice.kv_cache),
    )
    engine = WorkerEngine(folder, options)
    return OpenModel(engine, deciding(options) | _files(folder))


def _files(*folders: Path) -> dict[str, str]:
    """The files of the model and its adapter, and the processor, which decides what ``auto`` is."""
    able = sorted(flag for flag in cpu.flags() if flag.startswith(_DECIDING))
    return {"files_sha256": digest_of(folders), "processor": " ".join(able)}


def _remote(choice: ModelChoice) -> OpenModel:
    from serving.engines.remote import RemoteEngine

    key = os.environ.get(choice.api_key_env, "") if choice.api_key_env else ""
    if choice.api_key_env and not key:
        raise EvalError(f"The environment variable {choice.api_key_env} holds no API key.")
    engine = RemoteEngine(
        choice.url,
        choice.model,
        api_key=key,
        context_length=choice.context_length or 8192,
    )
    settings = {"url": choice.url, "model": choice.model, "weights": choice.weights}
    return OpenModel(engine, settings, fixed=bool(choice.weights))
