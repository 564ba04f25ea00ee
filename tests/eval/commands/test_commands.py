"""``bedside eval`` as a user sees it."""

from __future__ import annotations

import json
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from promptcblue_sets import gold, gold_path, noisy, write_lines
from typer.testing import CliRunner

from eval.commands import app
from eval.promptcblue.tracks import CCKS2023, TRACKS
from eval.run.run import PREDICTIONS
from serving.engines.echo import EchoEngine

GOLD = str(gold_path(CCKS2023))
SAMPLES = gold(CCKS2023)


def run(*arguments: Any, obj: Any = None) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments], obj=obj, env={"COLUMNS": "200"})


@pytest.fixture
def answered(tmp_path: Path) -> Path:
    """A file of noisy answers."""
    texts = noisy(CCKS2023)[1]["answers"]
    return write_lines(
        tmp_path / "answers.jsonl", [s.to_json() | {"target": texts[s.sample_id]} for s in SAMPLES]
    )


def test_it_is_mounted() -> None:
    found = {entry.name: entry for entry in entry_points(group="bedside.commands")}
    assert found["eval"].value == "eval.commands:app"


def test_score_prints_json(answered: Path) -> None:
    result = run("score", "--gold", GOLD, "--pred", answered, "--json")
    assert result.exit_code == 0
    printed = json.loads(result.stdout)
    expected = noisy(CCKS2023)[1]["scores"]
    assert printed["scores"] == pytest.approx(expected, abs=1e-6)
    assert printed["overall"] == pytest.approx(sum(expected.values()) / len(expected))


@pytest.mark.parametrize("track", TRACKS)
def test_gold_against_itself(track: str) -> None:
    path = gold_path(TRACKS[track])
    result = run("score", "--gold", path, "--pred", path, "--track", track, "--official", "--json")
    assert json.loads(result.stdout)["overall"] == pytest.approx(100, abs=1e-6)


@pytest.mark.parametrize(
    ("gates", "status"),
    [
        (["overall>=99.99"], 0),
        (["overall>=60", "MedDG > 20"], 0),
        (["overall>100"], 1),
        (["CMeEE-V2>=100"], 0),
        (["MedDG>=100.1"], 1),
        (["overal>=60"], 2),
        (["overall=60"], 2),
        (["Text2DT>=1"], 2),
    ],
)
def test_gates_are_exit_statuses(gates: list[str], status: int) -> None:
    asked = [part for gate in gates for part in ("--require", gate)]
    result = run("score", "--gold", GOLD, "--pred", GOLD, "--json", *asked)
    assert result.exit_code == status
    if status < 2:
        assert "overall" in json.loads(result.stdout)


def test_a_task_without_samples_meets_no_gate() -> None:
    result = run(
        "score", "--gold", GOLD, "--pred", GOLD, "--only", "MedDG", "--require", "CHIP-STS>=0"
    )
    assert result.exit_code == 1
    assert "no samples" in result.stderr


def test_a_filter_scores_a_part(answered: Path) -> None:
    for mode in ([], ["--official"]):
        result = run(
            "score", "--gold", GOLD, "--pred", answered, "--only", "MedDG:2", "--json", *mode
        )
        printed = json.loads(result.stdout)
        assert printed["samples"] == {"MedDG": 2}
        assert printed["overall"] > 0


def test_bad_input_is_a_sentence_with_its_place(tmp_path: Path, answered: Path) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text(answered.read_text("utf-8")[:-40], encoding="utf-8")
    result = run("score", "--gold", GOLD, "--pred", bad)
    assert result.exit_code == 2
    assert f"{bad}:{len(SAMPLES)}:" in result.stderr
    assert "Traceback" not in result.stderr
    assert run("score", "--gold", GOLD, "--pred", GOLD, "--track", "cblue").exit_code == 2
    assert run("score", "--gold", GOLD, "--pred", GOLD, "--only", "MedDG:no").exit_code == 2


def test_a_run_lies_in_the_home_folder_unless_told_otherwise(tmp_path: Path) -> None:
    right = {sample.input: sample.target for sample in SAMPLES}

    def opened(name: str) -> tuple[EchoEngine, dict[str, str]]:
        return EchoEngine(right.__getitem__, name="glm 4/9b", max_running=8), {}

    for number in (1, 2):
        result = run(
            *("run", "--data", GOLD, "--engine", "", "--quiet"),
            obj=lambda: (tmp_path, opened),
        )
        assert result.exit_code == 0, result.stderr
        folder = tmp_path / "evaluations" / f"ccks2023-glm-4-9b-{number}"
        assert str(folder) in result.stderr
        assert (folder / PREDICTIONS).exists()


def test_a_run_its_report_and_a_comparison(tmp_path: Path) -> None:
    first = run("run", "--data", GOLD, "--out", tmp_path / "a", "--echo", "--quiet", "--json")
    assert first.exit_code == 0, first.stderr
    assert json.loads(first.stdout)["failures"] == {}
    again = run("run", "--data", GOLD, "--out", tmp_path / "a", "--echo", "--quiet", "--json")
    assert json.loads(again.stdout)["scores"] == json.loads(first.stdout)["scores"]

    right = {s.input: s.target for s in SAMPLES}
    second = run(
        *("run", "--data", GOLD, "--out", tmp_path / "b", "--engine", "", "--quiet", "--json"),
        *("--require", "overall>=99"),
        obj=lambda: (tmp_path, lambda name: (EchoEngine(right.__getitem__, name="right"), {})),
    )
    assert second.exit_code == 0, second.stderr
    assert json.loads(second.stdout)["overall"] == pytest.approx(100, abs=1e-6)

    reported = run("report", tmp_path / "a", "--out", tmp_path / "a.html")
    assert reported.exit_code == 0
    assert reported.stdout.split() == [
        str(tmp_path / f"a.{kind}") for kind in ("html", "md", "json")
    ]

    compared = run(
        "compare", tmp_path / "a", tmp_path / "b", "--json", "--out", tmp_path / "c.html"
    )
    assert compared.exit_code == 0
    printed = json.loads(compared.stdout)
    assert printed["overall"]["not_worse"] is True
    # So few samples show nothing, whatever they say.
    assert printed["not_worse"] is False
    assert "too few" in compared.stderr
    assert (tmp_path / "c.md").exists()
    turned = run("compare", tmp_path / "b", tmp_path / "a", "--require-not-worse")
    assert turned.exit_code == 1


def test_files_of_answers_are_compared(answered: Path) -> None:
    result = run("compare", answered, GOLD, "--gold", GOLD, "--json", "--margin", "3")
    printed = json.loads(result.stdout)
    assert printed["overall"]["difference"] > 0
    assert printed["margin"] == 3
    missing = run("compare", answered, GOLD)
    assert missing.exit_code == 1
    assert "--gold" in missing.stderr


def test_runs_on_other_samples_are_not_compared(tmp_path: Path) -> None:
    for name, only in (("a", "*:1"), ("b", "*:2")):
        given = ("--data", GOLD, "--out", tmp_path / name, "--only", only, "--echo", "--quiet")
        assert run("run", *given).exit_code == 0
    result = run("compare", tmp_path / "a", tmp_path / "b")
    assert result.exit_code == 1
    assert "not made on the same samples" in result.stderr


def test_examples_do_not_come_from_the_test_set(tmp_path: Path) -> None:
    result = run(
        *("run", "--data", GOLD, "--out", tmp_path / "r", "--echo", "--quiet", "--only", "*:1"),
        *("--shots", "2", "--train", GOLD, "--retrieve", "hashing"),
    )
    assert result.exit_code == 0, result.stderr
    asked = {s["sample_id"] for s in map(json.loads, (tmp_path / "r" / PREDICTIONS).open())}
    for row in map(json.loads, (tmp_path / "r" / PREDICTIONS).open()):
        places = {int(name.rsplit("-", 1)[1]) - 1 for name in row["shots"]}
        assert not {SAMPLES[place].sample_id for place in places} & asked
    assert json.loads((tmp_path / "r" / "overlap.json").read_text())["exact"] == len(asked)


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ([], 1),
        (["--echo", "--folder", "."], 1),
        (["--echo", "--shots", "2"], 2),
        (["--engine", "demo"], 1),
        (["--url", "http://127.0.0.1:9/v1"], 1),
        (["--echo", "--constrained", "--data", "absent.jsonl"], 2),
    ],
)
def test_what_cannot_be_run_is_said(tmp_path: Path, more: list[str], status: int) -> None:
    result = run("run", "--data", GOLD, "--out", tmp_path / "r", "--quiet", *more)
    assert result.exit_code == status
    assert "Traceback" not in result.output


def test_a_server_that_is_not_there_leaves_the_run_unfinished(
    tmp_path: Path, free_port: int
) -> None:
    result = run(
        *("run", "--data", GOLD, "--out", tmp_path / "r", "--quiet", "--silent-seconds", "0"),
        *("--url", f"http://127.0.0.1:{free_port}/v1", "--model", "m", "--parallel", "2"),
    )
    assert result.exit_code == 3
    assert "run the same command again" in " ".join(result.stderr.split())
    assert (tmp_path / "r" / PREDICTIONS).read_bytes() == b""


def test_overlap(tmp_path: Path) -> None:
    result = run("overlap", GOLD, GOLD, "--json")
    assert json.loads(result.stdout)["exact"] == len(SAMPLES)
    other = write_lines(tmp_path / "t.jsonl", [{"text": "完全无关的一句话，没有谁写过它。"}])
    clean = run("overlap", other, GOLD, "--require-none")
    assert clean.exit_code == 0
    assert run("overlap", GOLD, GOLD, "--require-none").exit_code == 1
