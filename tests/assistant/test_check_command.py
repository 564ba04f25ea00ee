"""``bedside check`` as a hospital uses it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from assistant.cli import app

ROOT = Path(__file__).parent.parent.parent
RECORD = "患者发热3天，无胸痛。予头孢曲松2.0g静脉滴注每日1次。"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No knowledge base stands here."""
    monkeypatch.setenv("BEDSIDE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def bedside(*arguments: object, stdin: str | None = None, status: int = 0) -> str:
    run = CliRunner().invoke(app, ["check", *map(str, arguments)], input=stdin)
    assert run.exit_code == status, run.output
    return run.stdout if status == 0 else run.output


def checked(*arguments: object, stdin: str | None = None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(bedside(*arguments, "--json", stdin=stdin))
    return found


def test_statements_against_a_text(home: Path) -> None:
    (home / "note.txt").write_text(RECORD, "utf-8")
    (home / "said.txt").write_text("发热3天。\n\n头孢曲松2g静滴qd。\n患者胸痛。\n", "utf-8")
    found = checked("--record", "note.txt", "--statements", "said.txt", "--statement", "发热5天。")
    assert [f["statement"] for f in found] == [
        "发热5天。",
        "发热3天。",
        "头孢曲松2g静滴qd。",
        "患者胸痛。",
    ]
    status = [f["status"] for f in found]
    assert status == ["unsupported", "supported", "supported", "unsupported"]
    assert found[0]["problems"] == [{"kind": "number", "text": "5天"}]
    for evidence in found[2]["evidence"]:
        span = evidence
        assert RECORD[span["start"] : span["end"]] == evidence["quote"]


def test_pairs_come_back_in_their_order(home: Path) -> None:
    rows = [
        {"record": RECORD, "statement": "患者无胸痛。", "id": 1},
        {"record": "血钾3.1mmol/L。", "statement": "血钾4.1mmol/L。"},
        {"record": "", "statement": "发热。"},
        {"record": RECORD, "statement": ""},
    ]
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    found = checked("--pairs", "-", stdin=lines + "\n")
    assert [f["status"] for f in found] == [
        "supported",
        "unsupported",
        "unsupported",
        "unsupported",
    ]
    assert [set(f) for f in found] == [{"statement", "status", "problems", "evidence"}] * 4


def test_an_encounter_and_a_case_as_the_api_takes_them(home: Path) -> None:
    samples = ROOT / "assistant" / "samples"
    encounter = samples / "encounters" / "pneumonia-adult.json"
    (found,) = checked("--record", encounter, "--statement", "痰培养：肺炎链球菌。")
    assert found["status"] == "supported"
    case = {"patient": {"id": "p"}, "encounter_id": "e", "present_illness": "咳嗽3天。"}
    (found,) = checked("--record", "-", "--statement", "咳嗽3天。", stdin=json.dumps(case))
    assert found["status"] == "supported"
    assert found["evidence"][0]["note_id"] == "present_illness"


def test_a_table_to_read(home: Path) -> None:
    shown = bedside("--record", "-", "--statement", "患者胸痛。", stdin=RECORD)
    assert "胸痛" in shown
    assert "1 条无依据" in shown


@pytest.mark.parametrize(
    ("arguments", "stdin"),
    [
        ([], ""),
        (["--record", "-"], RECORD),
        (["--record", "absent.txt", "--statement", "发热。"], ""),
        (["--pairs", "-"], "{"),
        (["--pairs", "-"], '{"record": "发热。"}'),
        (["--pairs", "-"], '{"record": 1, "statement": "发热。"}'),
        (["--pairs", "-"], '{"record": {"patient": 1}, "statement": "发热。"}'),
    ],
)
def test_bad_input_is_refused_without_a_traceback(
    home: Path, arguments: list[str], stdin: str
) -> None:
    said = bedside(*arguments, stdin=stdin, status=2)
    assert "Traceback" not in said
    assert "发热" not in said


ODD = [
    "",
    " \n",
    "。。。",
    "1",
    "１２，０００，０００．５．６ｍｇ／（ｋｇ·ｍｉｎ）",
    "🙂" * 50,
    "（" * 400,
    "9" * 5000 + "mg",
    "万亿亿万零零两半百千",
    "2026年99月99日予阿司匹林0.0.0.0mg bid tid qd",
    "\ud800",
    "无未否认不并非没有",
]


def test_odd_texts_are_judged_and_never_break(home: Path) -> None:
    lines = "\n".join(json.dumps({"record": a, "statement": b}) for a in ODD for b in ODD)
    assert len(checked("--pairs", "-", stdin=lines)) == len(ODD) ** 2


def test_it_starts_without_the_application(home: Path) -> None:
    """The command's own module brings no page, no server and no model library."""
    code = (
        "import sys; import assistant.commands.check;"
        "heavy = ('gradio', 'fastapi', 'langchain_core', 'openvino', 'numpy', 'sqlalchemy');"
        "print([name for name in heavy if name in sys.modules])"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.strip() == "[]"
