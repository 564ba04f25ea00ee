"""``bedside eval bills`` as a user sees it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from eval.commands import app

pytest.importorskip("rapidocr")


def test_one_page_is_made_read_and_scored(tmp_path: Path) -> None:
    arguments = ["bills", "--set", "easy", "--count", "1", "--seed", "9", "--json", "--quiet"]
    done = CliRunner().invoke(
        app, [*arguments, "--out", str(tmp_path / "out"), "--require", "easy.fields>=50"]
    )
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    assert result["kind"] == "bills"
    assert set(result["scores"]) == {
        f"easy.{name}" for name in ("characters", "fields", "amounts", "flagged", "kinds")
    }
    assert (tmp_path / "out" / "report.html").exists()
    unknown = CliRunner().invoke(app, ["bills", "--set", "nothing"])
    assert unknown.exit_code == 2
