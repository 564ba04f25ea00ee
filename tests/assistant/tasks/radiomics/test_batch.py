"""A list of cases becomes a table, case by case, and goes on where it stopped."""

from __future__ import annotations

import csv
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from imaging_samples import ball, segmentation, series, written
from typer.testing import CliRunner

from assistant.imaging.problem import ImageProblem
from assistant.tasks.radiomics import batch
from assistant.tasks.radiomics.command import app
from assistant.tasks.radiomics.settings import Settings


def quiet(done: int, total: int, what: str) -> None:
    """Nobody is told."""


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    folder = tmp_path / "series"
    folder.mkdir()
    for number, one in enumerate(series()):
        (folder / f"{number}.dcm").write_bytes(written(one))
    (tmp_path / "seg.dcm").write_bytes(written(segmentation(ball())))
    listed = tmp_path / "cases.csv"
    lines = ["id,image,mask,roi", "gone,series,none.dcm,", "one,series,seg.dcm,lesion"]
    listed.write_text("\n".join([*lines, "two,series,seg.dcm,"]))
    return listed


def test_a_row_a_case_and_the_problem_of_one_that_cannot_be_measured(cases: Path) -> None:
    out = cases.parent / "features.csv"
    words = ["extract-all", str(cases), "--out", str(out), "--jobs", "1"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 1
    rows = {row["id"]: row for row in csv.DictReader(out.open(encoding="utf-8"))}
    assert set(rows) == {"gone", "one", "two"}
    assert "没有这个文件" in rows["gone"]["problem"]
    assert float(rows["one"]["stat_mean"]) == float(rows["two"]["stat_mean"])
    assert len(rows["one"]) == 217


def test_it_goes_on_after_a_stop(cases: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, found = cases.parent / "features.csv", batch.read_cases(cases)
    batch.extract_all(found[1:2], cases.parent, out, Settings(), 1, quiet)
    whole = out.read_text("utf-8")
    # A stop in the middle of the second row.
    out.write_text(whole + "two,,12.5", "utf-8")
    asked = []
    monkeypatch.setattr(batch, "_row", lambda *_: None)

    def rows(pool: object, left: list[batch.CaseOfList], *more: object) -> object:
        asked.extend(case.id for case in left)
        return iter(())

    monkeypatch.setattr(batch, "_rows", rows)
    batch.extract_all(found[1:], cases.parent, out, Settings(), 1, quiet)
    assert asked == ["two"]
    assert out.read_text("utf-8") == whole
    with pytest.raises(ImageProblem, match="其他设置"):
        batch.extract_all(found, cases.parent, out, Settings(outlier_sigma=3), 1, quiet)


def test_what_was_killed_goes_on_and_leaves_no_process(cases: Path) -> None:
    listed, out = cases.parent / "many.csv", cases.parent / "features.csv"
    lines = [f"c{number},series,seg.dcm,lesion" for number in range(30)]
    listed.write_text("\n".join(["id,image,mask,roi", *lines]))
    words = ["extract-all", str(listed), "--out", str(out), "--jobs", "1"]
    run = subprocess.Popen(
        [sys.executable, "-m", "assistant.cli", "radiomics", *words], stderr=subprocess.DEVNULL
    )
    end = time.monotonic() + 120
    while not (out.exists() and out.read_bytes().count(b"\n") > 1):
        assert run.poll() is None
        assert time.monotonic() < end
        time.sleep(0.02)
    workers = psutil.Process(run.pid).children(recursive=True)
    run.kill()
    run.wait(20)
    before = list(csv.DictReader(out.open(encoding="utf-8")))
    assert workers
    assert not psutil.wait_procs(workers, 20)[1]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    rows = list(csv.DictReader(out.open(encoding="utf-8")))
    assert sorted(row["id"] for row in rows) == sorted(f"c{number}" for number in range(30))
    assert len({row["stat_mean"] for row in rows}) == 1
    assert rows[: len(before) - 1] == before[:-1]


@pytest.mark.parametrize(
    "text", ["id,image\n1,a", "id,image,mask\n1,a,b\n1,a,b", "id,image,mask\n,a,b"]
)
def test_a_list_that_cannot_be_used_is_told_of(tmp_path: Path, text: str) -> None:
    path = tmp_path / "cases.csv"
    path.write_text(text)
    with pytest.raises(ImageProblem, match="病例列表"):
        batch.read_cases(path)


def test_a_list_of_a_chinese_spreadsheet_is_read_and_an_empty_one_is_refused(
    tmp_path: Path,
) -> None:
    listed = tmp_path / "cases.csv"
    listed.write_bytes("id,image,mask\n甲一,图,掩膜\n".encode("gb18030"))
    assert [case.id for case in batch.read_cases(listed)] == ["甲一"]
    listed.write_text("id,image,mask\n")
    with pytest.raises(ImageProblem, match="没有病例"):
        batch.read_cases(listed)


def test_a_table_that_cannot_be_written_is_refused_in_a_sentence(cases: Path) -> None:
    (cases.parent / "file").touch()
    for out in (cases.parent / "file" / "features.csv", cases.parent):
        done = CliRunner().invoke(app, ["extract-all", str(cases), "--out", str(out)])
        assert done.exit_code == 2
        assert "Usage" in done.output
