"""``bedside eval differential`` and ``retrieval`` as a user sees them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from knowledge_sample import build_sample
from typer.testing import CliRunner

from eval.commands import app
from serving.engines.echo import EchoEngine


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder with a small base."""
    folder = tmp_path_factory.mktemp("home")
    build_sample(folder / "knowledge").close()
    return folder


def run(home: Path, *arguments: Any, engine: EchoEngine | None = None) -> Result:
    return CliRunner().invoke(
        app,
        [str(a) for a in arguments],
        obj=lambda: (home, lambda name: (engine, {})),
        env={"COLUMNS": "160"},
    )


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    path = tmp_path / "cases.jsonl"
    rows = [
        {"case": "转移性右下腹痛，恶心呕吐", "gold": "急性阑尾炎"},
        {"case": "流涕打喷嚏，咽痛", "gold": ["上呼吸道感染"]},
    ]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


def test_the_ranking_is_measured_without_a_model(home: Path, cases: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = run(home, "differential", "--cases", cases, "--out", out, "--json")
    assert done.exit_code == 0, done.stderr
    printed = json.loads(done.stdout)
    assert printed["kind"] == "differential"
    assert {path.name for path in out.iterdir()} == {
        "result.json",
        "report.html",
        "report.md",
        "answers.jsonl",
    }
    assert (out / "result.json").stat().st_mode & 0o077 == 0 or out.stat().st_mode & 0o077 == 0


def test_a_configured_engine_sits_beside_it(home: Path, cases: Path, tmp_path: Path) -> None:
    def reply(prompt: str) -> str:
        name = "急性阑尾炎" if "右下腹" in prompt else "上呼吸道感染"
        return json.dumps({"diagnoses": [{"name": name}]}, ensure_ascii=False)

    common = ("differential", "--cases", cases, "--out", tmp_path / "o", "--engine", "", "--quiet")
    gates = ("--require", "exact_top1>=100", "--require", "knowledge.top5>=0")
    done = run(home, *common, *gates, engine=EchoEngine(reply, name="right"))
    assert done.exit_code == 0, done.stderr
    assert "right（evidence）" in (tmp_path / "o" / "report.html").read_text("utf-8")
    unmet = run(home, *common, "--require", "top1>100", engine=EchoEngine(reply, name="right"))
    assert unmet.exit_code == 1
    assert "Not met" in unmet.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("--require", "top4>=1"), 2, "top4"),
        (("--require", "knowledge.top5>=1"), 2, "knowledge.top5"),
        (("--echo", "--prompt", "missing"), 2, "missing"),
        (("--echo", "--url", "http://127.0.0.1:9/v1"), 1, "Name one model"),
        (("--base", "nowhere"), 1, "no knowledge base"),
        (("--split", "test"), 2, "field 'split'"),
    ],
)
def test_what_is_wrong_is_said_first(
    home: Path, cases: Path, tmp_path: Path, arguments: tuple[str, ...], status: int, said: str
) -> None:
    out = tmp_path / "out"
    done = run(home, "differential", "--cases", cases, "--out", out, *arguments)
    assert done.exit_code == status, done.stderr
    assert said in done.stderr
    assert not out.exists()


def test_a_model_that_fails_leaves_the_run_unfinished(
    home: Path, cases: Path, tmp_path: Path
) -> None:
    def fail(prompt: str) -> str:
        raise RuntimeError

    arguments = ("differential", "--cases", cases, "--out", tmp_path / "o", "--engine", "")
    done = run(home, *arguments, "--require", "top5>=0", "--quiet", engine=EchoEngine(fail))
    assert done.exit_code == 3
    assert "run the same command again" in done.stderr


def test_retrieval(home: Path, tmp_path: Path) -> None:
    queries = tmp_path / "q.jsonl"
    queries.write_text('{"query": "急性阑尾炎的体征", "relevant": ["急性阑尾炎"]}\n', "utf-8")
    arguments = ("retrieval", "--queries", queries, "--out", tmp_path / "o", "--encoder", "hashing")
    done = run(home, *arguments, "--require", "recall1>=100")
    assert done.exit_code == 0, done.stderr
    report = run(home, "report", tmp_path / "o")
    assert report.exit_code == 0
    refused = run(home, *arguments[:-1], "none", "--require", "recall2>=1")
    assert refused.exit_code == 2
    bad = run(home, "retrieval", "--out", tmp_path / "p")
    assert bad.exit_code == 2
    assert "retrieval_queries.jsonl:" in bad.stderr
    assert "field 'relevant'" in bad.stderr


def test_without_the_program_there_is_no_home(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["retrieval", "--out", str(tmp_path), "--encoder", "none"])
    assert done.exit_code == 1
    assert "bedside" in done.stderr
