"""``bedside eval checker`` and ``bedside eval discharge`` as a user runs them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from knowledge_sample import build_sample
from typer.testing import CliRunner

from eval.clinical.result import read_result
from eval.commands import app


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments], env={"COLUMNS": "200"})


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    build_sample(folder).close()
    return folder


def test_the_checker_is_judged(base: Path, tmp_path: Path) -> None:
    """On few records: `test_measure` holds all of them to their floors."""
    out = tmp_path / "checker"
    done = run("checker", "--out", out, "--base", base, "--limit", 1, "--quiet", "--json",
               "--require", "recall>=90", "--require", "recall:dose>=90")  # fmt: skip
    assert done.exit_code == 0, done.output
    result = read_result(out)
    assert result.kind == "checker"
    assert json.loads(done.stdout)["scores"] == result.scores
    assert (out / "report.html").is_file()
    again = run("checker", "--out", out, "--base", base, "--limit", 1, "--quiet",
                "--require", "passed>=100")  # fmt: skip
    assert again.exit_code == 1
    assert read_result(out).scores == result.scores, "the seed decides"


def test_notes_are_read(base: Path, tmp_path: Path) -> None:
    notes = tmp_path / "notes.jsonl"
    notes.write_text(
        json.dumps({"text": "患者发热3天，体温39.2℃。予头孢曲松2.0g静脉滴注。左肺湿啰音。"}) + "\n",
        "utf-8",
    )
    done = run("checker", "--out", tmp_path / "r", "--base", base, "--notes", notes, "--quiet")
    assert done.exit_code == 0, done.output
    assert "errors could be seeded" in done.stderr


@pytest.mark.shared
def test_real_notes(base: Path, tmp_path: Path, shared_data: Path) -> None:
    notes = shared_data / "ner" / "yidu_s4k_train.jsonl.gz"
    done = run("checker", "--out", tmp_path / "r", "--base", base, "--notes", notes,
               "--limit", 12, "--quiet", "--require", "recall>=90",
               "--require", "passed>=90")  # fmt: skip
    assert done.exit_code == 0, done.output


def test_discharge_without_a_model(base: Path, tmp_path: Path) -> None:
    out = tmp_path / "discharge"
    done = run("discharge", "--out", out, "--base", base, "--limit", 4, "--quiet",
               "--require", "coverage>=100")  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "read by no clinician" in done.stderr
    assert read_result(out).kind == "discharge"


def test_discharge_with_an_engine_goes_on(base: Path, tmp_path: Path) -> None:
    out = tmp_path / "discharge"
    command = ("discharge", "--out", out, "--base", base, "--echo", "--limit", 2, "--quiet")
    first = run(*command)
    assert first.exit_code == 0, first.output
    drafts = (out / "drafts.jsonl").read_bytes()
    assert run(*command).exit_code == 0
    assert (out / "drafts.jsonl").read_bytes() == drafts
    other = run(*command[:-2], 3, "--quiet")
    assert other.exit_code == 1


def test_a_bad_gate_and_a_missing_base(base: Path, tmp_path: Path) -> None:
    assert run("checker", "--out", tmp_path / "r", "--require", "recal>=9").exit_code == 2
    missing = run("discharge", "--out", tmp_path / "r", "--base", tmp_path / "nothing")
    assert missing.exit_code == 1
    assert not (tmp_path / "r").exists()
