"""``bedside perfusion``: the result as JSON, the files beside it, sentences for what is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel
import numpy as np
import pytest
import typer
from perfusion_samples import nifti, phantom
from PIL import Image
from typer.testing import CliRunner

from assistant.imaging.problem import ImageProblem
from assistant.tasks.perfusion.command import perfusion

app = typer.Typer()
app.command()(perfusion)


def test_a_study_gives_volumes_maps_pictures_and_report(tmp_path: Path) -> None:
    made = phantom()
    path = nifti(tmp_path / "ctp.nii.gz", made.array)
    out = tmp_path / "out"
    result = CliRunner().invoke(app, [str(path), "--json", "--out", str(out), "--modality", "CT"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert json.loads((out / "result.json").read_text()) == found
    named = {
        "core_ml", "penumbra_ml", "mismatch_ml", "mismatch_ratio", "hir", "aif", "vof", "maps",
        "regions", "quality", "report",
    }  # fmt: skip
    assert named <= set(found)
    assert "科研用途" in found["report"]
    assert f"{found['core_ml']:.1f} ml" in found["report"]
    cbf = nibabel.load(found["maps"]["cbf"])
    assert cbf.shape == made.array.shape[:0:-1]
    assert cbf.affine == pytest.approx(nibabel.load(path).affine)
    values = cbf.get_fdata().transpose(2, 1, 0)
    tissue = nibabel.load(found["maps"]["tissue"]).get_fdata().transpose(2, 1, 0) > 0
    where = tissue & made.tissue
    assert np.corrcoef(values[where], made.cbf[where])[0, 1] > 0.95
    for name in ("cbf", "tmax", "lesion", "curves"):
        with Image.open(found["pictures"][name]) as picture:
            assert picture.format == "PNG"
    x, y, z = found["aif"]["voxel"]
    assert made.array[:, z, y, x].max() > 200
    # Each sentence has its evidence, and the core's lies where the core is.
    assert all(one["evidence"] for one in found["statements"])
    core = next(one for one in found["statements"] if one["evidence"][0]["label"] == "梗死核心")
    box = core["evidence"][0]["box"]
    places = np.argwhere(made.core | made.penumbra)[:, ::-1]
    assert (np.array(box["low"]) > places.min(axis=0) - 3).all()
    assert (np.array(box["high"]) < places.max(axis=0) + 3).all()


def test_a_given_artery_is_taken(tmp_path: Path) -> None:
    made = phantom()
    z, y, x = np.argwhere(np.ptp(made.array, axis=0) > 150)[0]
    path = nifti(tmp_path / "ctp.nii.gz", made.array)
    words = [str(path), "--json", "--no-motion", "--aif", f"{x},{y},{z}"]
    found = json.loads(CliRunner().invoke(app, words).stdout)
    assert found["aif"]["voxel"] == [x, y, z]
    assert found["aif"]["voxels"] == 1
    assert "few_voxels" in {one["key"] for one in found["quality"]}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--method", "magic"], "method"),
        (["--density", "9"], "density"),
        (["--modality", "PT"], "CT 或 MR"),
        (["--tr", "0"], "--tr"),
        (["--aif", "99,99,99"], "--aif"),
    ],
)
def test_wrong_options_end_with_a_sentence(tmp_path: Path, more: list[str], said: str) -> None:
    frames = np.random.default_rng(1).normal(40, 5, (12, 2, 16, 16))
    path = nifti(tmp_path / "a.nii.gz", frames)
    result = CliRunner().invoke(app, [str(path), *more])
    problem = result.exception
    assert result.exit_code != 0
    assert said in (str(problem) if isinstance(problem, ImageProblem) else result.output)
