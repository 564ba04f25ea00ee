"""``bedside doctor``: what this machine is, what is installed, what is wrong."""

from __future__ import annotations

import platform
import shutil
from importlib.metadata import version
from pathlib import Path

import psutil

from assistant.commands import processor
from assistant.commands.processor import Check
from assistant.engine_settings import EngineSettings
from assistant.opening import open_knowledge, open_store
from assistant.settings import Settings
from assistant.work.registry import Registry, installed
from assistant.work.task import load
from serving.engine import EngineError
from serving.engines.bigdl import environment
from serving.engines.bigdl.environment import EnvironmentMissing
from serving.engines.bigdl.source import open_source
from serving.hardware import compute, cpu, topology
from serving.models import manifest
from serving.models.catalog import CatalogError
from serving.models.manifest import ModelInvalid
from serving.models.store import ModelStore

FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_bf16", "amx_int8")
LEAST_FREE_GIB = 5


def cpu_flags() -> list[str]:
    """Which of the instruction sets that matter this processor has (Linux)."""
    found = cpu.flags()
    return [flag for flag in FLAGS if flag in found]


def examine(settings: Settings, tasks: Registry | None = None) -> list[Check]:
    """Look at the processor, memory, disk, models, knowledge base, tasks and store."""
    memory = psutil.virtual_memory()
    settings.home.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(settings.home).free / 2**30
    flags = cpu_flags()
    name = cpu.model_name() or platform.processor()
    checks = [
        Check("bedside", f"{version('bedside')}, Python {platform.python_version()}"),
        Check("openvino", version("openvino")),
        Check("CPU", f"{name}, {psutil.cpu_count(logical=False)} cores"),
        Check(
            "instructions",
            " ".join(flags) or "none of " + " ".join(FLAGS),
            "" if "avx512f" in flags else "没有 AVX-512，速度会明显较慢。No AVX-512: slower.",
        ),
        *processor.inference(cpu.flags(), processor.plugin_facts()),
        processor.layout(topology.read()),
        Check(
            "memory",
            f"{memory.available / 2**30:.1f} of {memory.total / 2**30:.1f} GiB free",
            "" if memory.available > 3 * 2**30 else "可用内存不足 3 GiB。Less than 3 GiB free.",
        ),
        Check(
            "disk",
            f"{free:.0f} GiB free under {settings.home}",
            "" if free > LEAST_FREE_GIB else f"磁盘不足 {LEAST_FREE_GIB} GiB。Little disk space.",
        ),
    ]
    checks += _models(settings)
    checks.append(_knowledge(settings))
    checks += _tasks(settings, tasks or installed())
    checks += _store(settings)
    return checks


def who_needs_a_key(settings: Settings) -> str:
    """Which requests need an API key, as ``serve`` says it too."""
    if settings.keys_required:
        return "API key       所有请求都需要 every request needs one"
    return (
        "API key       仅本机直接访问可以没有 only direct requests from this machine go without; "
        "反向代理之后请设 behind a reverse proxy set require_api_key = true"
    )


def _models(settings: Settings) -> list[Check]:
    models = ModelStore(settings.home)
    checks = []
    for name, engine in settings.engines.items():
        label = f"engine {name}"
        try:
            checks.append(Check(label, *_engine(engine, models, settings.home)))
        except (CatalogError, ModelInvalid, EngineError, EnvironmentMissing) as error:
            checks.append(Check(label, engine.model, str(error)))
    return checks


def _engine(engine: EngineSettings, models: ModelStore, home: Path) -> tuple[str, str]:
    """What an engine is and what is wrong, as far as that shows without loading it.

    Raises what opening it would: CatalogError, ModelInvalid, EngineError, EnvironmentMissing.
    """
    if engine.kind == "bigdl":
        if wrong := _wrong_cores(engine):
            return "", wrong
        environment.find(home, engine.environment)
        source = open_source(Path(engine.model))
        return f"bigdl {engine.model} ({source.family}, {engine.low_bit})", ""
    if engine.kind != "openvino":
        return f"{engine.kind} {engine.url or engine.model}", ""
    folder = Path(engine.model)
    bad: tuple[str, ...] = ()
    if folder.is_dir():
        said = engine.model
        if not manifest.is_prepared(folder):
            raise ModelInvalid(
                f"{folder} holds no prepared model; `bedside model convert` makes one of a "
                "checkpoint."
            )
    else:
        bad = models.verify(engine.model)
        folder, said = models.path(engine.model), f"{engine.model}, hashes match"
    if wrong := _wrong_cores(engine):
        return "", wrong
    weights = manifest.read(folder).settings
    compute.properties(engine.precision, engine.kv_cache, weights, cpu.flags())
    return (said, "") if not bad else ("", f"文件已改变 changed: {', '.join(bad)}")


def _wrong_cores(engine: EngineSettings) -> str:
    try:
        topology.share(engine.cores, 0)
    except ValueError as error:
        return str(error)
    return ""


def _knowledge(settings: Settings) -> Check:
    base, encoder = open_knowledge(settings)
    if base is None:
        return Check("knowledge", "none", "运行 bedside kb build。Run `bedside kb build`.")
    with_what = encoder.name if encoder else "words only"
    return Check("knowledge", f"{base.version[:16]}, {len(base.graph)} diseases, {with_what}")


def _tasks(settings: Settings, tasks: Registry) -> list[Check]:
    """What the tasks say of themselves, and which of those that are named cannot be used."""
    checks: list[Check] = []
    for task in tasks:
        if task.checks:
            checks += load(task.checks)(settings)
    named = ", ".join(task.kind for task in tasks)
    broken = "; ".join(f"{b.name} ({b.place}): {b.problem}" for b in tasks.broken)
    return [Check("tasks", named, broken and f"无法使用 left out: {broken}"), *checks]


def _store(settings: Settings) -> list[Check]:
    store = open_store(settings)
    try:
        report = store.audit.verify()
        has_key = store.api_keys.any_in_force()
    finally:
        store.close()
    advice = "" if report.ok else f"审计链损坏 broken at {report.first_bad_seq}: {report.reason}"
    return [
        Check("store", f"{settings.database}, {report.rows} audit rows", advice),
        _keys(settings, has_key),
    ]


def _keys(settings: Settings, has_key: bool) -> Check:
    """Who needs an API key, and whether there is one."""
    needed = who_needs_a_key(settings).removeprefix("API key").strip()
    if settings.keys_required and not has_key:
        return Check("API keys", needed, "还没有密钥。None exists: run `bedside key create`.")
    return Check("API keys", needed)
