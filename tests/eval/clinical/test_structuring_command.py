"""``bedside eval structuring`` as a user sees it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from eval.commands import app

GOLD = {
    "text": "急性阑尾炎，发热。",
    "entities": [
        {"start": 0, "end": 5, "type": "dis"},
        {"start": 6, "end": 8, "type": "sym"},
        {"start": 2, "end": 4, "type": "mic"},
    ],
    "spo_list": [],
    "normalized_result": "急性阑尾炎",
}


def run(home: Path, *arguments: Any) -> Result:
    return CliRunner().invoke(
        app,
        ["structuring", *(str(a) for a in arguments)],
        obj=lambda: (home, lambda name: (None, {})),
        env={"COLUMNS": "160"},
    )


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    path = tmp_path / "gold.jsonl"
    path.write_text(json.dumps(GOLD, ensure_ascii=False) + "\n", "utf-8")
    return path


def test_saved_predictions(gold: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    common = ("--gold", gold, "--what", "entities", "--pred", gold, "--out", out)
    done = run(tmp_path, *common, "--json", "--require", "entities:mic>=100")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["kind"] == "structuring"
    assert {path.name for path in out.iterdir()} == {"result.json", "report.html", "report.md"}
    unmet = run(tmp_path, *common, "--require", "entities>100")
    assert unmet.exit_code == 1
    assert "Not met" in unmet.stderr


def test_the_products_own_structuring(gold: Path, sample_folder: Path, tmp_path: Path) -> None:
    common = ("--gold", gold, "--base", sample_folder, "--quiet")
    entities = run(
        tmp_path, *common, "--what", "entities", "--out", tmp_path / "e", "--require",
        "entities.recall>=100",
    )  # fmt: skip
    assert entities.exit_code == 0, entities.stderr
    assert "mic (1)" in entities.stderr
    terms = run(
        tmp_path, *common, "--what", "terms", "--out", tmp_path / "t", "--require", "terms>=0"
    )
    assert terms.exit_code == 0, terms.stderr
    assert "rule" in (tmp_path / "t" / "report.md").read_text("utf-8")


def test_without_a_base_entities_come_from_the_lexicon(gold: Path, tmp_path: Path) -> None:
    common = ("--gold", gold, "--out", tmp_path / "o")
    done = run(tmp_path / "home", *common, "--what", "entities")
    assert done.exit_code == 0, done.stderr
    assert "Without a knowledge base" in done.stderr
    refused = run(tmp_path / "home", *common, "--what", "terms")
    assert refused.exit_code == 1
    assert "knowledge base" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--what", "entities", "--require", "entities:mic>=1"), "entities:mic"),
        (("--what", "terms", "--types", "x.yaml"), "only entities have types"),
        (("--what", "triples"), "no text of it is labelled with triples"),
        (("--what", "notes"), "notes"),
        (("--what", "entities", "--types", "missing.yaml"), "no such file"),
    ],
)
def test_what_is_wrong_is_said_first(
    gold: Path, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    out = tmp_path / "out"
    done = run(tmp_path, "--gold", gold, "--out", out, *arguments)
    assert done.exit_code == 2
    assert said in done.stderr
    assert not out.exists()
