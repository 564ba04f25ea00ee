from __future__ import annotations

from pathlib import Path

import pytest

from assistant.engines import open_configured
from serving.engine import EngineUnavailable
from serving.engines.echo import EchoEngine


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BEDSIDE_HOME", str(tmp_path))
    monkeypatch.setenv("BEDSIDE_ENGINES", '{"demo": {"kind": "echo"}, "lost": {"model": "none"}}')
    return tmp_path


def test_the_default_engine_is_opened_by_no_name(home: Path) -> None:
    engine, facts = open_configured("")
    assert isinstance(engine, EchoEngine)
    assert facts["kind"] == "echo"
    assert "folder" not in facts


def test_an_engine_that_is_not_there_says_which_are(home: Path) -> None:
    with pytest.raises(EngineUnavailable, match="demo, lost"):
        open_configured("glm")


def test_a_model_that_is_not_there_is_named(home: Path) -> None:
    with pytest.raises(EngineUnavailable, match="none"):
        open_configured("lost")
