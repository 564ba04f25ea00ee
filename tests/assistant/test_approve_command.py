"""``bedside model approve``, ``approvals`` and ``revoke`` as an administrator uses them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import warm_process
from approval_sample import MODEL, write_model, write_run

from assistant.opening import open_store
from assistant.settings import Settings

ROOT = Path(__file__).parent.parent.parent
CONFIG = f"""
default_engine = "ward"
[engines.ward]
model = "{MODEL}"
[[panel]]
name = "甲"
engine = "ward"
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    model = write_model(home)
    write_run(home / "evaluations" / "glm-1", model)
    write_run(home / "evaluations" / "poor-1", model, answer=lambda prompt: "不知道")
    (home / "bedside.toml").write_text(CONFIG, encoding="utf-8")
    return home


def bedside(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    where = {"BEDSIDE_HOME": str(home), "BEDSIDE_CONFIG": str(home / "bedside.toml")}
    environment = os.environ | where | {"COLUMNS": "300"}
    return warm_process.bedside(environment, "model", *arguments)


def test_it_is_approved_listed_and_taken_back(home: Path) -> None:
    given = bedside(
        home,
        *("approve", MODEL, "--run", "glm-1", "--by", "王主任"),
        *("--require", "overall>=60", "--require", "MedDG>=20", "--note", "药事会"),
    )
    assert given.returncode == 0, given.stderr
    store = open_store(Settings(home=home))
    (approval,) = store.approvals.in_force()
    store.close()
    assert approval.gate == "overall>=60, MedDG>=20"
    assert approval.run == str((home / "evaluations" / "glm-1").resolve())
    assert f"bedside model revoke {approval.id}" in given.stderr
    listed = bedside(home, "approvals").stderr
    for said in (approval.id, "王主任", "glm-1", "in force"):
        assert said in listed
    taken = bedside(home, "revoke", approval.id, "--by", "李药师", "--reason", "复评未达标")
    assert taken.returncode == 0, taken.stderr
    listed = bedside(home, "approvals").stderr
    assert "revoked by 李药师: 复评未达标" in listed
    again = bedside(home, "revoke", approval.id, "--by", "李药师", "--reason", "x")
    assert again.returncode == 1
    assert "no approval in force" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["ward", "--run", "poor-1", "--require", "overall>=60"], 1, "is not >= 60"),
        (["ward", "--run", "absent", "--require", "overall>=60"], 1, "holds no run"),
        (["nobody", "--run", "glm-1", "--require", "overall>=60"], 1, "No engine of the settings"),
        (["ward", "--run", "glm-1", "--require", "overall=60"], 2, "overall>=60"),
        (["ward", "--run", "glm-1"], 2, "--require"),
    ],
)
def test_a_refusal_is_a_sentence(home: Path, arguments: list[str], status: int, said: str) -> None:
    run = bedside(home, "approve", *arguments, "--by", "王主任")
    assert run.returncode == status, run.stderr
    assert said in run.stderr
    assert "Traceback" not in run.stderr
