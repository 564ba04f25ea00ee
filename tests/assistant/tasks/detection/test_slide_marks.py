"""Cells of a generated slide: found once each, where they are, block by block."""

from __future__ import annotations

import json
import resource
from pathlib import Path

import numpy as np
import pytest
import slide_samples
from typer import Typer
from typer.testing import CliRunner

from assistant.imaging.problem import ImageProblem
from assistant.imaging.slide import Slide, is_slide, tissue
from assistant.tasks.detection.command import detect

APP = Typer()
APP.command()(detect)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray, Path]:
    folder = tmp_path_factory.mktemp("slide")
    places = slide_samples.slide(folder / "a.tiff")
    return folder / "a.tiff", places, slide_samples.cell_detector(folder / "model")


def test_every_cell_is_found_once(sample: tuple[Path, np.ndarray, Path]) -> None:
    path, places, model = sample
    result = CliRunner().invoke(APP, [str(path), "--model", str(model), "--json"])
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    corners = np.array([one["corners"] for one in said["boxes"]])
    middles = (corners[:, :2] + corners[:, 2:]) / 2
    apart = np.linalg.norm(middles[:, None] - places[None], axis=2)
    assert (apart.min(axis=0) < 3).mean() > 0.98
    assert (apart.min(axis=1) < 3).mean() > 0.98
    assert said["counts"][0]["count"] == len(said["boxes"])
    assert len(said["boxes"]) == pytest.approx(len(places), abs=3)


def test_tissue_and_parts_are_where_they_are(sample: tuple[Path, np.ndarray, Path]) -> None:
    path, places, _ = sample
    assert is_slide(path)
    with Slide(path) as slide:
        assert (slide.columns, slide.rows) == (2600, 2600)
        overview, shrink = slide.overview()
        mask = tissue(overview)
        # The tissue is a square from 520 to 1950.
        rows, columns = np.nonzero(mask)
        for line in (rows, columns):
            assert line.min() * shrink == pytest.approx(520, abs=12)
            assert line.max() * shrink == pytest.approx(1950, abs=12)
        x, y = (int(n) for n in places[0])
        part = slide.part(x - 10, y - 10, (20, 20))
        assert part[:, 10, 10].mean() < 130 < part[:, 0, 0].mean()
        half = slide.part(x - 20, y - 20, (20, 20), 2.0)
        assert half[:, 10, 10].mean() < 130 < half[:, 0, 0].mean()
        # Beyond the border all is white.
        assert (slide.part(2590, 2590, (30, 30))[:, 15:, 15:] == 255).all()
    assert not tissue(np.full((3, 40, 40), 245, np.float32)).any()


def test_what_cannot_be_is_said(
    tmp_path: Path, sample: tuple[Path, np.ndarray, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _, _ = sample
    (tmp_path / "b.svs").write_bytes(b"no slide")
    assert not is_slide(tmp_path / "b.svs")
    with pytest.raises(ImageProblem, match="打不开"):
        Slide(tmp_path / "b.svs")

    def run(model: Path) -> str:
        result = CliRunner().invoke(APP, [str(path), "--model", str(model)])
        return str(result.exception)

    how = {"kind": "minmax"}
    assert "intensity" in run(slide_samples.cell_detector(tmp_path / "minmax", intensity=how))
    fine = slide_samples.cell_detector(tmp_path / "fine", spacing=[1, 0.0001, 0.0001])
    assert "粗" in run(fine) or "mpp" in run(fine)
    monkeypatch.setattr("assistant.imaging.slide.MAX_SIDE", 1000)
    with pytest.raises(ImageProblem, match="2600 × 2600"):
        Slide(path)


def test_a_slide_of_ten_thousand_million_pixels(
    sample: tuple[Path, np.ndarray, Path], tmp_path: Path
) -> None:
    _, _, model = sample
    cells = slide_samples.vast(tmp_path / "vast.tiff")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result = CliRunner().invoke(APP, [str(tmp_path / "vast.tiff"), "--model", str(model), "--json"])
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert said["complete"]
    assert len(said["boxes"]) == cells
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    # Kilobytes; the pixels would have 30 GB.
    assert grown < 1_500_000


def test_a_slide_that_is_larger_than_any_is_refused(tmp_path: Path) -> None:
    slide_samples.vast(tmp_path / "vast.tiff", side=210_000)
    with pytest.raises(ImageProblem, match="210000 × 210000"):
        Slide(tmp_path / "vast.tiff")
