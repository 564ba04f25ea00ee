"""``bedside eval perfusion`` and the phantom that it is of."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from eval.clinical.perfusion.phantom import FINE, Recipe, made, residue_function
from eval.commands import app


@pytest.mark.parametrize("name", ["exponential", "box", "linear", "gamma"])
def test_a_residue_function_starts_at_one_and_has_its_area(name: str) -> None:
    fine = np.arange(0, 100, FINE)
    residue = residue_function(name, fine, 6.0)  # type: ignore[arg-type]
    assert residue[0] == 1
    assert residue.sum() * FINE == pytest.approx(6.0, rel=0.02)


def test_the_truth_is_what_was_simulated() -> None:
    found = made(Recipe(shape=(1, 64, 64), spacing=(5.0, 3.4, 3.4), noise=0.0))
    # Central volume theorem, and the area of tissue by that of the artery.
    where = found.tissue
    assert found.cbv[where] == pytest.approx(found.cbf[where] * found.mtt[where] / 60, rel=1e-4)
    rise = (found.array - found.array[:5].mean(axis=0))[:, where & (found.delay < 2)].sum(axis=0)
    volume = found.cbv[where & (found.delay < 2)]
    ratio = rise / found.artery.sum() * 100 * 0.55 / 0.75 / 1.04
    assert np.median(ratio / volume) == pytest.approx(1, abs=0.05)
    assert found.core.any()
    assert found.penumbra.any()


def test_conditions_are_measured_and_gated(tmp_path: Path) -> None:
    words = ["perfusion", "--rows", "96", "--slices", "2", "--only", "noise 1 HU", "--json"]
    words += ["--method", "bayes", "--quiet", "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(app, [*words, "--require", "least>=50"])
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    assert result["kind"] == "perfusion"
    assert set(result["scores"]) == {"cbf", "cbv", "mtt", "tmax", "least"}
    assert [row[0] for row in result["tables"][0]["rows"]] == ["clinical", "noise 1 HU"]
    assert (tmp_path / "out" / "report.html").exists()
    assert CliRunner().invoke(app, ["perfusion", "--only", "nothing"]).exit_code == 2
