"""``bedside radiomics extract``: values as JSON, and sentences where something is wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from imaging_samples import ball, segmentation, series, written
from typer.testing import CliRunner

from assistant.imaging.problem import ImageProblem
from assistant.tasks.radiomics.command import app


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "series"
    folder.mkdir()
    for number, one in enumerate(series()):
        (folder / f"{number}.dcm").write_bytes(written(one))
    (tmp_path / "seg.dcm").write_bytes(written(segmentation(ball())))
    return tmp_path


def test_a_list_of_codes_names_values_and_units(images: Path) -> None:
    words = ["extract", str(images / "series"), "--mask", str(images / "seg.dcm"), "--json"]
    result = CliRunner().invoke(app, [*words, "--settings", "ibsi-c"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert len(found) == 215
    assert {"code", "name", "value", "unit", "family", "aggregation"} <= set(found[0])
    codes = {(one["code"], one["aggregation"]) for one in found}
    assert {("Q4LE", ""), ("TU9B", "3D_avg"), ("TU9B", "3D_comb"), ("5QRC", "3D")} <= codes
    table = CliRunner().invoke(app, words[:-1])
    assert "Q4LE\tstat_mean" in table.stdout
    assert "科研用途" in table.output


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--settings", "LIST.json"], "settings"),
        (["--settings", "gone"], "没有这个设置文件"),
        (["--roi", "gone"], "lesion"),
        (["--mask", "gone.dcm"], "没有这个文件"),
    ],
)
def test_what_is_wrong_is_a_sentence(images: Path, more: list[str], said: str) -> None:
    (images / "LIST.json").write_text("[]")
    more = [str(images / one) if one == "LIST.json" else one for one in more]
    words = ["extract", str(images / "series"), "--mask", str(images / "seg.dcm"), *more]
    result = CliRunner().invoke(app, words)
    # The command itself prints the sentence of such an error.
    assert isinstance(result.exception, ImageProblem)
    assert said in str(result.exception)


def test_the_task_and_its_commands_are_quick_to_import() -> None:
    code = (
        "import sys, assistant.tasks.radiomics.task, assistant.tasks.radiomics.command\n"
        "print(sorted({'numpy','scipy','pydicom','skimage','nibabel'} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
