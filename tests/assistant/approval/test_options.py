"""What an engine is opened with is what an approval is for."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from approval_sample import MODEL, write_model

from assistant import engines
from assistant.approval import fingerprint
from assistant.approval.options import BESIDE_OPTIONS, IRRELEVANT, deciding, options
from assistant.engine_settings import EngineSettings
from assistant.settings import Settings
from eval.run.model import ModelChoice, open_model

OTHER: dict[str, Any] = {
    "context_length": 512,
    "cache_gib": 7,
    "max_concurrent": 3,
    "queue_limit": 5,
    "threads": 2,
    "cores": "all",
    "precision": "f32",
    "kv_cache": "f16",
    "prompt_lookup": True,
    "draft": "/srv/small",
    "environment": "ipex-llm",
    "low_bit": "asym_int4",
    "default_max_tokens": 99,
    "enable_thinking": False,
    "reasoning_budget": 64,
    "chat_template_kwargs": {"language": "en"},
    "demo_only": True,
    "url": "http://127.0.0.1/v1",
    "urls": ["http://127.0.0.1/v1"],
    "replicas": 2,
    "adapters": ["discharge"],
    "adapter": "discharge",
    "prefix": "/srv/prefix",
    "api_key": "k",
    "thinks_first": True,
}
"""Another value for each setting; ``kind`` and ``model`` have tests of their own."""

KINDS: dict[str, frozenset[str]] = {
    "openvino": frozenset(OTHER)
    - {"environment", "low_bit", "url", "urls", "api_key", "thinks_first"},
    "bigdl": frozenset(OTHER)
    - {"cache_gib", "precision", "kv_cache", "prompt_lookup", "reasoning_budget", "replicas"}
    - {"draft"}
    - {"adapters", "adapter", "prefix"}
    - {"url", "urls", "api_key", "thinks_first"},
}


def of(chosen: EngineSettings, folder: Path) -> fingerprint.Fingerprint:
    return fingerprint.of_engine(chosen, folder, "f" * 64)


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind in KINDS for name in sorted(KINDS[kind])]
)
def test_each_setting_makes_another_or_has_a_reason(tmp_path: Path, kind: Any, name: str) -> None:
    folder = write_model(tmp_path)
    plain = EngineSettings(kind=kind, model=MODEL)
    other = EngineSettings(kind=kind, model=MODEL, **{name: OTHER[name]})
    before, after = options(plain), options(other)
    changed = {
        one.name for one in fields(before) if getattr(before, one.name) != getattr(after, one.name)
    }
    if not changed:
        assert BESIDE_OPTIONS[name]
    assert of(plain, folder).same_model(of(other, folder)) == (changed <= IRRELEVANT.keys())


def test_no_setting_was_forgotten() -> None:
    known = EngineSettings.model_fields.keys()
    assert known - {"kind", "model"} == OTHER.keys()
    of_no_local_kind = known - {"kind", "model"} - frozenset().union(*KINDS.values())
    assert of_no_local_kind <= BESIDE_OPTIONS.keys()
    assert all(IRRELEVANT.values())
    assert all(BESIDE_OPTIONS.values())


def test_another_kind_and_other_files_are_another(tmp_path: Path) -> None:
    folder = write_model(tmp_path)
    plain = of(EngineSettings(model=MODEL), folder)
    assert not plain.same_model(of(EngineSettings(kind="bigdl", model=MODEL), folder))
    assert not plain.same_model(
        fingerprint.of_engine(EngineSettings(model=MODEL), folder, "e" * 64)
    )


class Opened:
    """Stands for an engine that is opened: it keeps what it was opened with."""

    def __init__(self, folder: Path, *given: Any) -> None:
        self.options = given[-1]


@pytest.mark.parametrize(
    "chosen",
    [
        EngineSettings(model=MODEL, precision="f32", enable_thinking=True, context_length=99),
        EngineSettings(kind="bigdl", model=MODEL, low_bit="asym_int4", default_max_tokens=7),
    ],
)
def test_what_is_opened_is_what_is_hashed(
    tmp_path: Path, chosen: EngineSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_model(tmp_path)
    for name in ("WorkerEngine", "BigdlEngine"):
        monkeypatch.setattr(engines, name, Opened)
    opened = engines.Engines(Settings(home=tmp_path, engines={"ward": chosen})).load(chosen)
    assert isinstance(opened, Opened)
    runs = of(chosen, folder)
    hashed = {**deciding(opened.options)}
    assert runs.options.items() <= hashed.items()
    assert hashed.keys() - runs.options.keys() <= {
        "precision",
        "kv_cache",
        "environment",
        "low_bit",
    }


def test_a_run_names_the_options_that_it_was_made_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_model(tmp_path)
    monkeypatch.setattr("serving.engines.openvino.worker_engine.WorkerEngine", Opened)
    recorded = open_model(ModelChoice(folder=folder, precision="f32"), None).settings
    assert recorded.items() >= deciding(options(EngineSettings(precision="f32"))).items()
