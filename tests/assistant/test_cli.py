"""The command line as an engineer uses it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner
from warm_process import bedside

from assistant.cli import app
from assistant.cli_reference import markdown
from assistant.commands import kb

ROOT = Path(__file__).parent.parent.parent
SAMPLES = ROOT / "assistant" / "samples"
CONFIG = """
encoder = "hashing"
[engines.demo]
kind = "echo"
[[panel]]
name = "甲"
engine = "demo"
"""


@pytest.fixture
def environment(tmp_path: Path, knowledge_folder: Path) -> dict[str, str]:
    (tmp_path / "knowledge").symlink_to(knowledge_folder)
    config = tmp_path / "bedside.toml"
    config.write_text(CONFIG)
    return os.environ | {"BEDSIDE_HOME": str(tmp_path), "BEDSIDE_CONFIG": str(config)}


def test_ddx_of_a_sample_case(environment: dict[str, str]) -> None:
    run = bedside(environment, "ddx", str(SAMPLES / "cases" / "child-fever-cough.json"), "--json")
    assert run.returncode == 0, run.stderr
    assert {d["member"] for d in json.loads(run.stdout)} == {"知识库排序", "甲"}


def test_ddx_of_free_text_from_standard_input(environment: dict[str, str]) -> None:
    run = bedside(environment, "ddx", "-", "--json", stdin="发热、咳嗽3天，无胸痛。")
    assert run.returncode == 0, run.stderr
    findings = json.loads(run.stdout)[0]["findings"]
    assert {f["text"]: f["polarity"] for f in findings}["胸痛"] == "absent"


def test_discharge_of_a_sample_encounter(environment: dict[str, str]) -> None:
    run = bedside(environment, "discharge", str(SAMPLES / "encounters" / "stemi-pci.json"))
    assert run.returncode == 0, run.stderr
    for title in ("出院诊断", "入院情况", "诊疗经过", "出院情况", "出院医嘱"):
        assert title in run.stderr


def test_a_wrong_file_gets_a_sentence_and_not_a_traceback(
    environment: dict[str, str], tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.json"
    wrong.write_text('{"patient": {"id": "p"}}')
    run = bedside(environment, "ddx", str(wrong))
    assert run.returncode == 2
    assert "encounter_id" in run.stderr
    assert "Traceback" not in run.stderr


def test_audit_key_and_purge(environment: dict[str, str]) -> None:
    bedside(environment, "ddx", "-", "--patient", "pat-7", stdin="咳嗽3天")
    assert "intact" in bedside(environment, "audit", "verify").stderr
    made = bedside(environment, "key", "create", "cdss")
    assert made.stdout.strip()
    assert made.stdout.strip() not in bedside(environment, "key", "list").stderr
    purged = bedside(environment, "purge", "--patient", "pat-7", "--yes")
    assert purged.returncode == 0
    assert "intact" in bedside(environment, "audit", "verify").stderr
    exported = bedside(environment, "feedback", "export")
    assert exported.returncode == 0


def test_a_key_with_a_role_that_is_none_is_not_made(environment: dict[str, str]) -> None:
    made = bedside(environment, "key", "create", "x", "--role", "banana")
    assert made.returncode == 2
    assert "auditor" in made.stderr
    assert made.stdout == ""


def test_doctor_says_what_is_there_and_what_is_wrong(environment: dict[str, str]) -> None:
    good = bedside(environment, "doctor")
    assert good.returncode in (0, 1)
    for name in ("CPU", "memory", "knowledge", "entities", "relations", "coding", "store"):
        assert name in good.stderr
    (Path(environment["BEDSIDE_HOME"]) / "knowledge").unlink()
    broken = Path(environment["BEDSIDE_HOME"]) / "models" / "structuring"
    broken.mkdir(parents=True)
    told = bedside(environment | {"COLUMNS": "200"}, "doctor")
    assert told.returncode == 1
    assert "kb build" in told.stderr
    assert "models/structuring" in told.stderr


@pytest.mark.parametrize(
    ("engine", "said"),
    [
        ('kind = "bigdl"\nmodel = "/nowhere"', "bedside engine install bigdl"),
        ('model = "{}"', "holds no prepared model"),
        ('model = "absent"', "There is no model"),
    ],
)
def test_doctor_finds_an_engine_that_cannot_run(
    environment: dict[str, str], tmp_path: Path, engine: str, said: str
) -> None:
    file = tmp_path / "bedside.toml"
    file.write_text(f"[engines.ward]\n{engine.format(tmp_path)}\n", encoding="utf-8")
    told = bedside(
        {key: value for key, value in environment.items() if "ENGINES" not in key}
        | {"BEDSIDE_CONFIG": str(file), "COLUMNS": "300"},
        "doctor",
    )
    assert told.returncode == 1
    assert said in told.stderr


def test_a_bad_setting_is_named(environment: dict[str, str]) -> None:
    run = bedside(environment | {"BEDSIDE_PORT": "none"}, "doctor")
    assert run.returncode == 2
    assert "port" in run.stderr


def test_a_settings_file_that_is_no_toml_is_named(
    environment: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "bedside.toml"
    file.write_text('[engines.ward] model = "x"\n', encoding="utf-8")
    run = bedside(environment | {"BEDSIDE_CONFIG": str(file)}, "doctor")
    assert run.returncode == 2
    assert f"{file} is not valid TOML" in run.stderr
    assert "Traceback" not in run.stderr


def test_the_command_reference_is_up_to_date() -> None:
    kept = (ROOT / "docs" / "cli.md").read_text("utf-8")
    assert kept == markdown(app), "run `make docs`"


def test_kb_build_names_the_guidelines_that_it_leaves_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEDSIDE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("BEDSIDE_ENCODER", "hashing")
    folder = tmp_path / "guidelines"
    folder.mkdir()
    (folder / "抗凝.md").write_bytes("# 院内抗凝规范\n\n目标INR为2.0~3.0。\n".encode("gb18030"))
    (folder / "卒中.pdf").write_bytes(b"%PDF-")
    told = CliRunner().invoke(
        kb.app, ["build", "--no-clinical", "--no-cmekg", "--no-rare", "--guidelines", str(folder)]
    )
    assert told.exit_code == 0, told.output
    assert "left out: 卒中.pdf" in told.output
    assert "抗凝" not in told.output
