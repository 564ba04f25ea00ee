"""The configured models: opened in the background, asked for by name.

Bedside starts without waiting for them, and starts without them: a model that cannot be opened
leaves a sentence that says why and what to do.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import prompts
from assistant.approval.model_files import (
    NotIdentified,
    Signature,
    model_folders,
    signature_of,
)
from assistant.approval.options import deciding, options
from assistant.engine_settings import LOCAL_KINDS, EngineSettings
from assistant.settings import Settings
from serving.chat_model import EngineChatModel
from serving.engine import Engine, EngineError, EngineUnavailable, Message, Sampling, complete
from serving.engines.adapted import AdaptedEngine
from serving.engines.bigdl.engine import BigdlEngine, BigdlOptions
from serving.engines.echo import EchoEngine
from serving.engines.openvino.worker_engine import WorkerEngine
from serving.engines.remote import RemoteEngine
from serving.engines.replicas import ReplicatedEngine
from serving.hardware import topology
from serving.models.adapters import AdapterStore
from serving.models.catalog import CatalogError
from serving.models.manifest import ModelInvalid
from serving.models.store import ModelStore

logger = logging.getLogger("bedside.assistant.engines")

PROBE_SECONDS = 20.0
PROBE_KEPT_SECONDS = 15.0
"""How long an answer to a probe holds: a probe generates, which costs requests time."""

HOW_TO_ADD = (
    "添加模型：bedside model pull qwen2.5-coder-0.5b-instruct（演示），"
    "或 bedside model add 名称 --folder 目录，再在 bedside.toml 的 [engines] 中写上它。"
)


@dataclass
class Slot:
    """One configured engine and how far it is.

    ``files`` are the model's as they were when it was opened.  ``approved`` and ``scores`` (kind of
    run → its scores, of the approvals that hold) are set by
    `assistant.approval.status.ApprovalStatus`.
    """

    name: str
    settings: EngineSettings
    state: Literal["loading", "ready", "missing"] = "loading"
    engine: Engine | None = None
    problem: str = ""
    seconds: float = 0.0
    settled: asyncio.Event = field(default_factory=asyncio.Event)
    files: Signature | None = None
    approved: bool = False
    scores: dict[str, dict[str, float]] = field(default_factory=dict)

    @property
    def demo_only(self) -> bool:
        """Whether it serves for demonstration only: nobody has approved what runs here."""
        return not self.approved


@dataclass(frozen=True, slots=True)
class Probe:
    """How an engine answered when it was last asked for a token, and how long it took."""

    state: str
    problem: str
    seconds: float | None = None


class Engines:
    """All engines of one server."""

    def __init__(self, settings: Settings) -> None:
        self._home = settings.home
        self._store = ModelStore(settings.home)
        self.slots = {name: Slot(name, chosen) for name, chosen in settings.engines.items()}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._probing = asyncio.Lock()
        self._probed: tuple[float, list[str], dict[str, Probe]] | None = None

    def start(self) -> None:
        """Begin to open every engine; returns at once.  Needs a running event loop."""
        for slot in self.slots.values():
            self._begin(slot)

    def _begin(self, slot: Slot) -> None:
        """Open it, where that has not begun."""
        if slot.name not in self._tasks and not slot.settled.is_set():
            self._tasks[slot.name] = asyncio.create_task(self._open(slot))

    async def close(self) -> None:
        """Close what is open."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        for slot in self.slots.values():
            if slot.engine is not None:
                await slot.engine.close()

    async def ready(self, name: str) -> tuple[Engine, EngineChatModel]:
        """The engine, when it has been opened, and its LangChain face.

        Where `start` was not called, as by a command that may need none, it is opened now.

        Raises `EngineUnavailable` with what to do where it cannot be had.
        """
        slot = self.slots[name]
        self._begin(slot)
        await slot.settled.wait()
        if slot.engine is None:
            raise EngineUnavailable(slot.problem)
        return slot.engine, EngineChatModel(engine=slot.engine)

    def open_engines(self) -> dict[str, Engine]:
        """Engines that answer now, by their model's name and by their own."""
        return {s.name: s.engine for s in self.slots.values() if s.engine is not None}

    def describe(self, name: str) -> str:
        """The model's name, whether it is open or not."""
        slot = self.slots[name]
        return slot.engine.card.name if slot.engine else slot.settings.title

    async def probes(self) -> dict[str, Probe]:
        """Whether each engine generates, asked now or a few seconds ago, by one caller at a time.

        An engine that has been opened since is asked again at once.
        """
        async with self._probing:
            states: list[str] = [slot.state for slot in self.slots.values()]
            now = time.monotonic()
            if self._probed is not None:
                asked_at, were, kept = self._probed
                if were == states and now - asked_at < PROBE_KEPT_SECONDS:
                    return kept
            bases = [slot for slot in self.slots.values() if not slot.settings.adapter]
            found = await asyncio.gather(*(_probe(slot) for slot in bases))
            by_base = dict(zip((slot.name for slot in bases), found, strict=True))
            # An adapter answers where its base does; to turn to each costs requests time.
            answers = {
                name: by_base[_base(name)]
                if slot.engine is not None or not slot.settings.adapter
                else Probe(slot.state, slot.problem)
                for name, slot in self.slots.items()
            }
            self._probed = (time.monotonic(), states, answers)
            return answers

    async def _open(self, slot: Slot) -> None:
        started = time.perf_counter()
        try:
            slot.files = await asyncio.to_thread(self._files, slot.settings)
            if slot.settings.adapter:
                slot.engine = await self._adapted(slot)
            else:
                slot.engine = await asyncio.to_thread(self.load, slot.settings, self._number(slot))
            slot.state = "ready"
        except (EngineError, CatalogError, ModelInvalid) as error:
            slot.state, slot.problem = "missing", f"{error} {HOW_TO_ADD}"
        except Exception as error:
            logger.exception("engine %s could not be opened", slot.name)
            slot.state = "missing"
            slot.problem = (
                f"模型 {slot.settings.model} 打不开：{type(error).__name__}。{HOW_TO_ADD}"
            )
        finally:
            slot.seconds = time.perf_counter() - started
            slot.settled.set()
        logger.info("engine %s is %s after %.1f s", slot.name, slot.state, slot.seconds)
        for engine in _processes(slot.engine):
            await self._warm(engine)

    def _number(self, slot: Slot) -> int:
        """The how many-th it is of those that compute on this machine."""
        local = [
            one
            for one in self.slots.values()
            if one.settings.kind in LOCAL_KINDS and not one.settings.adapter
        ]
        return local.index(slot) if slot in local else 0

    async def _adapted(self, slot: Slot) -> Engine:
        """The base's engine, when it is open, with the slot's adapter."""
        base = self.slots[_base(slot.name)]
        self._begin(base)
        await base.settled.wait()
        if base.engine is None:
            raise EngineUnavailable(base.problem.removesuffix(HOW_TO_ADD).rstrip())
        return AdaptedEngine(base.engine, slot.settings.adapter)

    def _files(self, chosen: EngineSettings) -> Signature | None:
        try:
            return signature_of(model_folders(chosen, self._home))
        except (NotIdentified, OSError):
            return None

    async def _warm(self, engine: Engine) -> None:
        """Compile what the first doctor would otherwise wait for: grammar and prompt lookup."""
        greeting = [Message("user", "你好")]
        short = Sampling(max_tokens=2)
        with contextlib.suppress(EngineError):
            await complete(engine, greeting, short, prompts.schema("differential_diagnosis"))
            await complete(engine, greeting, replace(short, prompt_lookup=True))

    def load(self, chosen: EngineSettings, number: int = 0) -> Engine:
        """One engine, opened now: seconds, or longer for a large model.

        ``number``: the how many-th it is of those that compute on this machine.

        Raises `EngineError`, `CatalogError` or `ModelInvalid` where it cannot be had.
        """
        if chosen.adapter:
            alone = chosen.model_copy(update={"adapters": [chosen.adapter], "adapter": ""})
            return AdaptedEngine(self.load(alone, number), chosen.adapter, owns=True)
        if chosen.kind == "echo":
            return EchoEngine()
        if chosen.kind == "remote":
            if not chosen.urls:
                return _remote(chosen, chosen.url)
            servers = {url: _remote(chosen, url) for url in chosen.urls}
            return ReplicatedEngine(servers, spill_at=chosen.max_concurrent)
        try:
            # Replicas divide the whole machine, where nothing else is said.
            whole = chosen.replicas > 1 and chosen.cores == "auto"
            cores = topology.share("all" if whole else chosen.cores, number)
            shares = topology.divided(cores, chosen.replicas)
        except ValueError as error:
            raise EngineUnavailable(f"{error}.") from error
        if chosen.replicas > 1:
            return self._replicated(chosen, shares)
        return self._local(chosen, cores)

    def _replicated(self, chosen: EngineSettings, shares: Sequence[tuple[int, ...]]) -> Engine:
        """One process a share of the processors, opened one after the other: each reads the whole
        model, and two at once read it no quicker."""
        opened: dict[str, Engine] = {}
        for number, cores in enumerate(shares, 1):
            opened[f"{number}"] = self._local(chosen, cores)
        return ReplicatedEngine(opened, spill_at=chosen.max_concurrent)

    def _local(self, chosen: EngineSettings, cores: tuple[int, ...]) -> Engine:
        folder = Path(chosen.model)
        adapters = AdapterStore(self._home)
        places = {name: str(adapters.path(chosen.model, name)) for name in chosen.adapters}
        run_with = options(chosen, cores, places)
        if isinstance(run_with, BigdlOptions):
            return BigdlEngine(folder, self._home, run_with)
        if run_with.draft:
            run_with = replace(run_with, draft=str(self._folder(run_with.draft)))
        return WorkerEngine(self._folder(chosen.model), run_with)

    def _folder(self, model: str) -> Path:
        """Of a name of the catalogue, or the folder itself."""
        return Path(model) if Path(model).is_dir() else self._store.path(model)


def _base(name: str) -> str:
    """The engine that an engine ``ENGINE:ADAPTER`` is an adapter of; another one is its own."""
    return name.partition(":")[0]


def _processes(engine: Engine | None) -> list[WorkerEngine]:
    """The model's own processes."""
    found = (
        [r.engine for r in engine.replicas] if isinstance(engine, ReplicatedEngine) else [engine]
    )
    return [one for one in found if isinstance(one, WorkerEngine)]


def _remote(chosen: EngineSettings, url: str) -> RemoteEngine:
    return RemoteEngine(
        url,
        chosen.model,
        api_key=chosen.api_key.get_secret_value(),
        context_length=chosen.context_length or 8192,
        default_max_tokens=chosen.default_max_tokens,
        chat_template_kwargs=chosen.template_options,
        thinks_first=chosen.thinks_first,
    )


def open_configured(name: str) -> tuple[Engine, dict[str, str]]:
    """The engine called ``name`` in the settings ("": the default one), and what it is.

    ``folder`` is there where the model's files lie on this machine.  This is what a command that
    knows nothing of the settings opens an engine with.

    Raises:
        EngineUnavailable: there is no such engine, or it cannot be opened.
    """
    settings = Settings()
    chosen = settings.engines.get(name or settings.default_engine)
    if chosen is None:
        known = ", ".join(sorted(settings.engines))
        raise EngineUnavailable(f"There is no engine {name!r} in the settings; there are: {known}.")
    facts = {key: getattr(chosen, key) for key in ("kind", "model", "url", "precision", "kv_cache")}
    if chosen.kind in LOCAL_KINDS:
        facts |= deciding(options(chosen))
    try:
        engine = Engines(settings).load(chosen)
        if chosen.kind in LOCAL_KINDS:
            base, *adapter = model_folders(chosen, settings.home)
            facts["folder"] = str(base)
            if adapter:
                facts["adapter_folder"] = str(adapter[0])
    except (CatalogError, ModelInvalid, NotIdentified) as error:
        raise EngineUnavailable(str(error)) from error
    return engine, facts


async def _probe(slot: Slot) -> Probe:
    if slot.engine is None:
        return Probe(slot.state, slot.problem)
    started = time.perf_counter()
    state, problem = "ready", ""
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            await complete(slot.engine, [Message("user", "你好")], Sampling(max_tokens=1))
    except (EngineError, TimeoutError) as error:
        state, problem = "failing", str(error) or f"no answer within {PROBE_SECONDS:.0f} s"
    except Exception as error:
        logger.error("the probe of engine %s failed: %s", slot.name, type(error).__name__)
        state, problem = "failing", type(error).__name__
    return Probe(state, problem, round(time.perf_counter() - started, 3))
