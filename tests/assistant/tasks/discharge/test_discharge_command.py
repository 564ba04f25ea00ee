"""What ``bedside discharge`` takes for an encounter."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from discharge_stays import sample
from typer.testing import CliRunner

from assistant.tasks.discharge import command
from assistant.tasks.discharge.task import DischargeRequest


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[DischargeRequest]:
    """The requests that were made; nothing is written for them."""
    bodies: list[DischargeRequest] = []

    def made(kind: str, body: DischargeRequest) -> list[dict[str, Any]]:
        bodies.append(body)
        return []

    monkeypatch.setattr(command, "drafts_of", made)
    return bodies


def run(file: Path) -> Any:
    app = typer.Typer()
    app.command()(command.discharge)
    return CliRunner().invoke(app, [str(file)])


@pytest.mark.parametrize("wrapped", [False, True])
def test_an_encounter_is_taken_alone_or_in_a_request(
    wrapped: bool, asked: list[DischargeRequest], tmp_path: Path
) -> None:
    stay = sample("stemi-pci").model_dump(mode="json")
    file = tmp_path / "stay.json"
    file.write_text(json.dumps({"encounter": stay} if wrapped else stay), encoding="utf-8")
    assert run(file).exit_code == 0
    assert [body.encounter.id for body in asked] == [stay["id"]]


def test_what_is_no_encounter_is_named(asked: list[DischargeRequest], tmp_path: Path) -> None:
    file = tmp_path / "stay.json"
    file.write_text('{"notes": []}', encoding="utf-8")
    result = run(file)
    assert (result.exit_code, asked) == (2, [])
