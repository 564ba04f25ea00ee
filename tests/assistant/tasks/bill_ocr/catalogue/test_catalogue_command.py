"""``bedside catalogue``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from assistant.tasks.bill_ocr.catalogue.command import app


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BEDSIDE_HOME", str(tmp_path / "home"))
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def written(path: Path, *rows: str) -> Path:
    path.write_text("\n".join(("编码,名称,规格", *rows)), encoding="utf-8")
    return path


def test_a_list_is_imported_matched_and_replaced(home: Path) -> None:
    drugs = written(home / "drugs.csv", "D1,阿莫西林胶囊,0.25g", "D2,阿莫西林胶囊,0.5g")
    services = written(home / "services.csv", "S1,头部CT平扫,")
    for path in (drugs, services):
        done = run("import", str(path))
        assert done.exit_code == 0, done.output
    found = run("match", "阿莫西林胶囊", "--specification", "500mg", "--json")
    row = json.loads(found.stdout)
    assert (row["status"], row["entry"]["code"], row["entry"]["list"]) == ("matched", "D2", "drugs")
    written(drugs, "D9,布洛芬片,0.2g")
    assert run("import", str(drugs)).exit_code == 0
    assert run("show").stdout.split() == ["drugs", "1", "services", "1"]
    gone = json.loads(run("match", "阿莫西林胶囊 500mg", "--json").stdout)
    assert gone["entry"] is None


def test_many_names_from_a_file(home: Path) -> None:
    run("import", str(written(home / "a.csv", "D1,阿莫西林胶囊,0.25g", "S1,血细胞分析,")))
    names = home / "names.txt"
    names.write_text('血细胞分析\n{"name":"阿莫西林胶囊","specification":"0.25g"}\n', "utf-8")
    done = run("match", "--names", str(names), "--json")
    codes = [json.loads(line)["entry"]["code"] for line in done.stdout.splitlines()]
    assert codes == ["S1", "D1"]


def test_what_is_wrong_is_said(home: Path) -> None:
    missing = run("match", "阿莫西林")
    assert (missing.exit_code, "bedside catalogue import" in missing.output) == (1, True)
    nothing = run("import", str(written(home / "empty.csv", ",,")))
    assert nothing.exit_code == 1
    assert "Traceback" not in nothing.output
    assert run("match").exit_code == 2
