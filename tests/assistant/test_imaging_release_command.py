"""The switch by its command: named, refused without a name or for another task, listed."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from assistant.commands.imaging_release import app


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BEDSIDE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


def invoke(*words: str) -> Result:
    return CliRunner().invoke(app, words)


def test_on_listed_and_off() -> None:
    assert "开 on" not in invoke("list").stdout
    done = invoke("on", "detection", "--by", "王主任", "--reason", "伦理2026-03")
    assert done.exit_code == 0, done.output
    (line,) = [one for one in invoke("list").stdout.splitlines() if one.startswith("detection")]
    assert "开 on" in line
    assert "王主任" in line
    assert "伦理2026-03" in line
    assert invoke("off", "detection", "--by", "王主任", "--reason", "复核").exit_code == 0
    assert "开 on" not in invoke("list").stdout


def test_a_task_that_is_none_of_imaging_is_refused() -> None:
    done = invoke("on", "discharge_record", "--by", "王主任", "--reason", "x")
    assert done.exit_code == 2
    assert "detection" in done.output
