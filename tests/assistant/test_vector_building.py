"""A server that starts before the vectors of its knowledge base are made."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from knowledge_sample import sample_sources
from starlette.testclient import TestClient

from assistant.application import build_app
from assistant.engine_settings import EngineSettings
from assistant.settings import Settings
from assistant.ui import system
from assistant.ui.session import Session
from assistant.vector_building import VectorBuilding, VectorProgress
from knowledge.base import KnowledgeBase
from serving.encoder.text_encoder import HashingEncoder

SECONDS = 60.0


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    folder = tmp_path / "knowledge"
    KnowledgeBase.build(sample_sources(), folder, HashingEncoder(), vectors=False).close()
    return Settings(
        home=tmp_path,
        engines={"demo": EngineSettings(kind="echo", demo_only=True)},
        encoder="hashing",
    )


def until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not done():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_it_serves_by_words_at_once_and_by_both_when_they_are_there(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, let = threading.Event(), threading.Event()
    follow = VectorBuilding._follow

    def held(self: VectorBuilding, base: KnowledgeBase) -> None:
        begun.set()
        assert let.wait(SECONDS)
        follow(self, base)

    monkeypatch.setattr(VectorBuilding, "_follow", held)
    app = build_app(settings, with_ui=False)
    with TestClient(app, base_url="http://127.0.0.1") as client:

        def searched() -> dict[str, Any]:
            answer: dict[str, Any] = client.get(
                "/v1/knowledge/search", params={"q": "肺炎", "limit": 3}
            ).json()
            return answer

        assert begun.wait(SECONDS)
        first = searched()
        assert first["retrieval"] == "lexical"
        assert first["passages"][0]["dense_rank"] is None
        ready = client.get("/readyz").json()
        assert (ready["retrieval"], ready["vectors"]["state"]) == ("lexical", "running")
        let.set()
        until(lambda: bool(client.get("/readyz").json()["vectors"]["state"] == "ready"))
        assert client.get("/readyz").json()["retrieval"] == "hybrid"
        last = searched()
        assert last["retrieval"] == "hybrid"
        assert any(passage["dense_rank"] for passage in last["passages"])
        assert last["knowledge_version"] == first["knowledge_version"]


def test_a_process_that_is_killed_is_started_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistant.vector_building._SECONDS_BETWEEN", 0.0)
    base = KnowledgeBase.open(settings.knowledge_folder, HashingEncoder())
    building = VectorBuilding(base, "hashing")
    follow = VectorBuilding._follow
    lives: list[int] = []

    def killed_once(self: VectorBuilding, opened: KnowledgeBase) -> None:
        lives.append(1)
        if len(lives) > 1:
            follow(self, opened)

    monkeypatch.setattr(VectorBuilding, "_follow", killed_once)
    building.start()
    until(lambda: building.progress.state == "ready")
    assert len(lives) == 2
    assert base.retrieval == "hybrid"


def test_what_cannot_be_made_is_said(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.vector_building._SECONDS_BETWEEN", 0.0)
    base = KnowledgeBase.open(settings.knowledge_folder, HashingEncoder())
    building = VectorBuilding(base, "unknown")
    building.start()
    until(lambda: building.progress.state == "failed")
    assert "unknown" in building.progress.problem
    assert base.retrieval == "lexical"


def test_closing_ends_the_process(settings: Settings) -> None:
    base = KnowledgeBase.open(settings.knowledge_folder, HashingEncoder())
    building = VectorBuilding(base, "hashing")
    building.start()
    until(lambda: building._process is not None)
    building.close()
    assert building._process is not None
    assert building._process.poll() is not None


def test_the_page_tells_how_far_they_are(settings: Settings) -> None:
    app = build_app(settings, with_ui=False)
    parts = app.state.services
    session = Session(language="zh")
    parts.vectors.progress = VectorProgress("running", 32, 128)
    shown = system.page(parts, session)
    assert "32 / 128（25%）" in shown
    assert '<progress value="32" max="128">' in shown
    assert "仅词汇检索" in shown
    parts.vectors.progress = VectorProgress("failed", problem="no space")
    assert "no space" in system.page(parts, session)
