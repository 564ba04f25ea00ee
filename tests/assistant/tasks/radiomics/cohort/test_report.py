"""The commands, and what they write."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import typer
from cohort_tables import draw, write
from typer.testing import CliRunner

from assistant.tasks.radiomics.cohort import report as writing
from assistant.tasks.radiomics.cohort.command import cohort, predict

_APP = typer.Typer()
_APP.command("cohort")(cohort)
_APP.command("predict")(predict)
_SETTINGS = """outer_folds: 3
inner_folds: 3
selectors: [conditional, lasso]
models: [logistic, boosting]
survival_models: [cox]
clinical: [性别, 年龄]
"""


def invoke(*arguments: object) -> str:
    found = CliRunner().invoke(_APP, [str(argument) for argument in arguments])
    assert found.exit_code == 0, found.output + repr(found.exception)
    return found.stdout


@pytest.fixture(scope="module")
def folders(tables: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A study of each kind, as the command leaves it."""
    base = tmp_path_factory.mktemp("studies")
    settings = base / "settings.yaml"
    settings.write_text(_SETTINGS, "utf-8")
    given = {
        "class": ("--outcome", "复发"),
        "follow_up": ("--time", "天数", "--event", "死亡"),
    }
    for kind, roles in given.items():
        shared = ("--id", "编号", "--site", "医院", "--settings", settings, "--jobs", 1)
        invoke("cohort", tables[kind], *roles, *shared, "--out", base / kind)
    return {kind: base / kind for kind in given}


def read(folder: Path) -> Any:
    return json.loads((folder / "report.json").read_text("utf-8"))


@pytest.mark.parametrize("kind", ["class", "follow_up"])
def test_every_form_says_what_it_is_for_and_needs_nothing_else(
    folders: dict[str, Path], kind: str
) -> None:
    page = (folders[kind] / "report.html").read_text("utf-8")
    plain = (folders[kind] / "report.md").read_text("utf-8")
    for text in (page, plain, read(folders[kind])["purpose"]):
        assert "科研用途" in text
    addresses = set(re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?([^"')\s>]+)""", page))
    assert all(address.startswith("data:image/png;base64,") for address in addresses)
    pictures = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(pictures) == (5 if kind == "follow_up" else 7)
    for drawn in pictures:
        ElementTree.fromstring(drawn)
    assert "nan" not in re.findall(r"[\d.]*nan", page)
    assert not (folders[kind] / "progress.jsonl").exists()


def test_what_decides_a_class_is_found(folders: dict[str, Path]) -> None:
    made = read(folders["class"])
    assert {"f0", "f1"} <= {row["name"] for row in made["features"]["found"]}
    area = made["performance"]["auc"]
    assert 0.5 < area["low"] < area["value"] < area["high"] <= 1
    assert made["harmonised"]
    assert made["flow"] | {"columns_left_out": 0} == {
        "read": 100,
        "excluded": [],
        "used": 100,
        "events": made["flow"]["events"],
        "event_title": "结局为“是”",
        "columns_left_out": 0,
    }


def test_years_and_groups_of_a_survival_study(folders: dict[str, Path]) -> None:
    performance = read(folders["follow_up"])["performance"]
    assert [row["year"] for row in performance["years"]] == [1, 3, 5]
    assert performance["log_rank_p"] < 0.01
    low, high = performance["years"][0]["groups"]
    assert low["observed"]["value"] > high["observed"]["value"]
    assert performance["years"][0]["auc"]["value"] > 0.6
    assert sum(group["cases"] for group in performance["groups"]) == 100


def test_checklists_say_what_was_done_and_leave_the_rest_to_people(
    folders: dict[str, Path],
) -> None:
    made = read(folders["class"])
    items = {row["item"]: row for row in made["tripod_ai"]}
    assert len(items) == 52
    assert "3 折" in items["12a"]["answer"]
    assert "boosting" in items["12c"]["answer"]
    assert not any(items[item]["done"] for item in ("6b", "17", "18a"))
    rows = made["rqs"]["rows"]
    assert len(rows) == 16
    assert sum(row["most"] for row in rows) == 36
    assert made["rqs"]["points"] == sum(r["points"] for r in rows if r["points"] is not None)
    assert next(r for r in rows if r["item"] == 12)["points"] is None


@pytest.mark.parametrize("kind", ["class", "follow_up"])
def test_a_saved_model_predicts_the_table_and_explains(
    folders: dict[str, Path], tables: dict[str, Path], kind: str
) -> None:
    printed = invoke(
        "predict", folders[kind] / "model.skops", tables[kind], "--id", "编号", "--json"
    )
    made = json.loads(printed)
    assert [case["id"] for case in made["cases"][:2]] == ["病例0", "病例1"]
    case = made["cases"][0]
    assert case["explanation"]["parts"]
    assert len(case["survival"]) == 3 if kind == "follow_up" else 0 < case["probability"] < 1


def test_predictions_are_of_the_fold_that_had_not_seen_the_case(folders: dict[str, Path]) -> None:
    with (folders["class"] / "predictions.csv").open(encoding="utf-8-sig") as stream:
        rows = list(csv.DictReader(stream))
    assert sorted(row["id"] for row in rows) == sorted(f"病例{n}" for n in range(100))
    assert {row["fold"] for row in rows} == {"1", "2", "3"}


def test_names_of_columns_are_text_in_the_page(folders: dict[str, Path]) -> None:
    made = read(folders["class"])
    attack = "<script>alert(1)</script>"
    made["features"]["used"] = [attack]
    made["features"]["chosen"][0]["name"] = attack
    made["nomogram"]["variables"][0]["name"] = attack
    made["case"]["parts"][0]["name"] = attack
    made["flow"]["columns_left_out"] = [{"name": attack, "why": ""}]
    made["notes"] = [attack]
    assert "<script" not in writing.html(made)


def test_nothing_of_a_case_is_in_the_report(folders: dict[str, Path]) -> None:
    for name in ("report.html", "report.json", "report.md"):
        assert "病例0" not in (folders["class"] / name).read_text("utf-8")


def test_a_feature_that_cannot_be_measured_again_is_not_used(
    tables: dict[str, Path], tmp_path: Path
) -> None:
    (tmp_path / "icc.csv").write_text("feature,icc\nf0,0.3\nf1,0.9\n", "utf-8")
    (tmp_path / "s.yaml").write_text(_SETTINGS.replace(", boosting", ""), "utf-8")
    invoke(
        "cohort", tables["class"], "--outcome", "复发", "--id", "编号", "--site", "医院",
        "--icc", tmp_path / "icc.csv", "--settings", tmp_path / "s.yaml", "--jobs", 1,
        "--out", tmp_path / "out",
    )  # fmt: skip
    made = read(tmp_path / "out")
    assert "f1" in made["features"]["used"]
    assert "f0" not in {row["name"] for row in made["features"]["chosen"]}


@pytest.mark.parametrize("roles", [(), ("--time", "天数"), ("--event", "死亡")])
def test_roles_that_say_too_little(tables: dict[str, Path], roles: tuple[str, ...]) -> None:
    arguments = ["cohort", str(tables["follow_up"]), "--out", "nowhere", *roles]
    found = CliRunner().invoke(_APP, arguments)
    assert found.exit_code == 2
    assert not Path("nowhere").exists()


def test_a_small_table_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", draw(False)[:4])
    found = CliRunner().invoke(
        _APP, ["cohort", str(path), "--outcome", "复发", "--out", str(tmp_path / "out")]
    )
    assert found.exit_code == 1
    assert "请" in str(found.exception)
    assert not (tmp_path / "out").exists()
