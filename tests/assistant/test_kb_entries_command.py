"""``bedside kb lint``, ``entry``, ``review`` and a build without a network."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from assistant.commands import kb
from knowledge.base import KnowledgeBase
from serving.models import package_index


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BEDSIDE_HOME", str(tmp_path))
    monkeypatch.setenv("BEDSIDE_ENCODER", "hashing")
    return tmp_path


def test_an_entry_is_shown_and_signed(home: Path) -> None:
    run = CliRunner()
    before = run.invoke(kb.app, ["entry", "AMI"])
    assert before.exit_code == 0
    assert "未经临床审阅" in before.output
    signed = run.invoke(kb.app, ["review", "AMI", "--by", "王芳 主任医师"])
    assert signed.exit_code == 0, signed.output
    assert "王芳 主任医师审阅于" in run.invoke(kb.app, ["entry", "心肌梗死"]).output
    assert run.invoke(kb.app, ["lint"]).exit_code == 0


def test_an_unknown_entry_is_said(home: Path) -> None:
    done = CliRunner().invoke(kb.app, ["entry", "无此病"])
    assert done.exit_code == 1
    assert "无此病" in done.output


def test_a_fault_in_the_hospitals_folder_is_named(home: Path) -> None:
    folder = home / "clinical" / "diseases"
    folder.mkdir(parents=True)
    (folder / "own.yaml").write_text("- {name: 某病, common: 9}\n", encoding="utf-8")
    run = CliRunner()
    done = run.invoke(kb.app, ["lint"])
    assert done.exit_code == 1
    assert "own.yaml" in done.output
    shown = run.invoke(kb.app, ["entry", "AMI"])
    assert shown.exit_code == 1
    assert "own.yaml" in shown.output


def test_a_base_is_built_without_a_network(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*args: object, **kwargs: object) -> Path:
        raise package_index.PackageUnavailable("no network")

    monkeypatch.setattr(kb, "fetch_cmekg", unreachable)
    done = CliRunner().invoke(kb.app, ["build", "--no-rare", "--lexical-first"])
    assert done.exit_code == 0, done.output
    base = KnowledgeBase.open(home / "knowledge")
    assert base.graph.disease("急性心肌梗死") is not None
    assert "CMeKG" not in {source.name for source in base.sources}
    assert base.sources[0].name == "临床知识库"
