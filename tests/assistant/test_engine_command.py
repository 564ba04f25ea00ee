"""``bedside engine`` as an engineer uses it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import warm_process

ROOT = Path(__file__).parent.parent.parent


def bedside(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    left = {k: v for k, v in os.environ.items() if k != "PIP_FIND_LINKS"}
    ours = {"BEDSIDE_HOME": str(home), "PIP_CONFIG_FILE": "/dev/null", "COLUMNS": "200"}
    return warm_process.bedside(left | ours, "engine", *arguments)


def test_what_is_not_installed_is_listed_as_missing(tmp_path: Path) -> None:
    run = bedside(tmp_path, "list")
    assert run.returncode == 0, run.stderr
    assert run.stderr.count("missing") == 2
    assert "bigdl-llm==2.4.0" in run.stderr


def test_an_engine_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    run = bedside(tmp_path, "install", "vllm")
    assert run.returncode == 1
    assert "there are: bigdl, ipex-llm" in run.stderr
    assert "Traceback" not in run.stderr


def test_pip_gets_the_options_and_its_failure_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "wheels").mkdir()
    places = ("--no-index", "--find-links", str(tmp_path / "wheels"))
    run = bedside(tmp_path, "install", "bigdl", *places)
    assert run.returncode == 1
    assert "--extra-index-url" in run.stderr
    assert "Traceback" not in run.stderr
    assert not (tmp_path / "engines" / "bigdl").exists()
