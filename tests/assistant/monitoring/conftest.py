"""An application whose panel has an approved model, with floors on few drafts."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from approval_sample import MODEL, write_model, write_run
from monitored_ward import Ward
from starlette.testclient import TestClient

from assistant.application import build_app
from assistant.approval.evidence import read_evidence
from assistant.engine_settings import EngineSettings
from assistant.engines import Engines
from assistant.monitoring.settings import (
    Floor,
    MonitoringSettings,
    ShadowCandidate,
    ShadowSettings,
)
from assistant.settings import PanelMember, Settings
from serving.engines.echo import EchoEngine


@pytest.fixture
def floors() -> list[Floor]:
    return [Floor(figure="unsupported_share", at_most=0.0, drafts=5)]


@pytest.fixture
def ward(
    tmp_path: Path,
    knowledge_folder: Path,
    empty_database: Path,
    floors: list[Floor],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Ward]:
    shutil.copy(empty_database, tmp_path)
    (tmp_path / "knowledge").symlink_to(knowledge_folder)
    model = write_model(tmp_path)
    monkeypatch.setattr(
        Engines, "load", lambda self, chosen, number=0: EchoEngine(name=chosen.model or "echo")
    )
    settings = Settings(
        home=tmp_path,
        engines={
            "ward": EngineSettings(model=MODEL),
            "next": EngineSettings(kind="echo"),
        },
        panel=[PanelMember(name="甲", engine="ward")],
        default_engine="ward",
        encoder="hashing",
        monitoring=MonitoringSettings(floors=floors),
        shadow=ShadowSettings(
            candidates=[ShadowCandidate(task="differential_diagnosis", engine="next", share=1.0)],
            review_share=1.0,
        ),
    )
    app = build_app(settings, with_ui=False)
    evidence = read_evidence(write_run(tmp_path / "evaluations" / "glm-1", model))
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as opened:
        yield Ward(opened, settings, app.state.services, evidence)
