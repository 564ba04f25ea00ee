"""A model in a file: it predicts and explains as before, and holds nothing that could run."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skops import io

from assistant.tasks.radiomics.cohort import estimators
from assistant.tasks.radiomics.cohort.explanation import BACKGROUND, explain
from assistant.tasks.radiomics.cohort.model import Candidate, FittedModel, fit_model
from assistant.tasks.radiomics.cohort.nested import Study
from assistant.tasks.radiomics.cohort.nomogram import nomogram, round_ticks
from assistant.tasks.radiomics.cohort.prediction import predict
from assistant.tasks.radiomics.cohort.refusal import CohortRefused
from assistant.tasks.radiomics.cohort.saved import keep, load, save

_CLASS = [
    ("lasso", "logistic"),
    ("none", "tree"),
    ("mrmr", "forest"),
    ("lasso", "boosting"),
    ("ica", "svm"),
    ("conditional", "knn"),
    ("lasso", "stack"),
    ("pca", "logistic"),
]
_SURVIVAL = [("conditional", "cox"), ("pca", "cox"), ("lasso", "survival_forest")]
_ALL = [*((c, False) for c in _CLASS), *((c, True) for c in _SURVIVAL)]


def fitted(study: Study, choice: tuple[str, str]) -> FittedModel:
    cohort = study.cohort
    return fit_model(
        Candidate(*choice), cohort.x, cohort.outcome, cohort.sites, cohort.names, study.settings
    )


@pytest.mark.parametrize(("choice", "survival"), _ALL)
def test_a_model_comes_back_and_its_parts_add_up(
    class_study: Study,
    survival_study: Study,
    tmp_path: Path,
    choice: tuple[str, str],
    survival: bool,
) -> None:
    study = survival_study if survival else class_study
    model = fitted(study, choice)
    cuts = {"median": 0.0} if survival else {"youden": 0.5, "sensitivity": 0.3}
    path = tmp_path / "model.skops"
    save(keep(study, model, cuts, "医院"), path)
    back = load(path)
    x, sites = study.cohort.x[:6], study.cohort.sites[:6]
    risk = back.model.risk(x, sites)
    np.testing.assert_allclose(risk, model.risk(x, sites), rtol=1e-12)
    assert back.columns.names == study.cohort.names
    assert len(back.background) in (0, BACKGROUND)
    for value, found in zip(risk, explain(back.model, x, sites, back.background), strict=True):
        total = found.base + sum(part[2] for part in found.parts)
        wanted = math.log(value / (1 - value)) if found.unit == "log-odds" else value
        assert total == pytest.approx(wanted, abs=1e-6)


def test_a_file_with_types_that_no_model_has_is_not_loaded(tmp_path: Path) -> None:
    path = tmp_path / "model.skops"
    io.dump({"format": 1, "estimator": Fraction(1, 2)}, path)
    with pytest.raises(CohortRefused, match="不允许的类型"):
        load(path)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"\x80\x04\x95pickle"])
def test_a_file_that_is_no_model(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "model.skops"
    path.write_bytes(data)
    with pytest.raises(CohortRefused, match=r"model\.skops"):
        load(path)


def test_a_model_of_another_version(tmp_path: Path) -> None:
    path = tmp_path / "model.skops"
    io.dump({"format": 99}, path)
    with pytest.raises(CohortRefused, match="重新建立"):
        load(path)


@pytest.fixture
def saved(class_study: Study) -> Any:
    model = fitted(class_study, ("conditional", "logistic"))
    return keep(class_study, model, {"youden": 0.5, "sensitivity": 0.3}, "医院")


def test_what_a_case_lacks_is_said(saved: Any, tmp_path: Path) -> None:
    names = sorted({c.source for c in saved.columns.taken})
    path = tmp_path / "new.csv"
    values = ["男" if n == "性别" else "" if n == "f0" else "1" for n in names]
    path.write_text(f"编号,医院,{','.join(names)}\nx1,丙,{','.join(values)}\n", "utf-8")
    made = predict(saved, path, "编号")
    (case,) = made["cases"]
    assert 0 < case["probability"] < 1
    assert any("f0" in note for note in case["notes"])
    assert any("ComBat" in note for note in case["notes"])
    assert "科研用途" in made["purpose"]


def test_a_table_without_the_columns_of_the_model(saved: Any, tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    path.write_text("f0,f1\n1,2\n", "utf-8")
    with pytest.raises(CohortRefused, match="缺少模型需要的"):
        predict(saved, path)


@pytest.mark.parametrize("choice", [("conditional", "logistic"), ("pca", "logistic")])
def test_points_of_the_nomogram_are_the_probability_of_the_model(
    class_study: Study, choice: tuple[str, str]
) -> None:
    cohort, model = class_study.cohort, fitted(class_study, choice)
    found = nomogram(class_study, model)
    assert found["of_model"]
    explained = explain(model, cohort.x, cohort.sites, np.empty((0, 0)))
    (scale,) = found["scales"]
    share, points = zip(*((t["value"], t["points"]) for t in scale["ticks"]), strict=True)
    for row in range(5):
        total = 0.0
        for variable in found["variables"]:
            (x0, p0), (x1, p1) = (
                (t["value"], t["points"]) for t in (variable["ticks"][0], variable["ticks"][-1])
            )
            parts = {n: (v, a) for n, v, a in explained[row].parts}
            if variable["name"] in parts:
                value = parts[variable["name"]][0]
            else:
                value = sum(a for n, (v, a) in parts.items() if not n.startswith(("年", "性")))
            total += p0 + (value - x0) * (p1 - p0) / (x1 - x0)
        wanted = float(model.risk(cohort.x[row : row + 1], cohort.sites[row : row + 1])[0])
        logits = np.log(np.array(share) / (1 - np.array(share)))
        slope = (logits[-1] - logits[0]) / (points[-1] - points[0])
        logit = logits[0] + (total - points[0]) * slope
        assert 1 / (1 + math.exp(-logit)) == pytest.approx(wanted, abs=1e-6)


def test_scales_of_survival_are_the_models_survival(survival_study: Study) -> None:
    cohort, model = survival_study.cohort, fitted(survival_study, ("conditional", "cox"))
    found = nomogram(survival_study, model)
    explained = explain(model, cohort.x, cohort.sites, np.empty((0, 0)))
    row = int(np.argsort(model.risk(cohort.x, cohort.sites))[50])
    total = 0.0
    for variable in found["variables"]:
        first, last = variable["ticks"][0], variable["ticks"][-1]
        value = {n: v for n, v, _ in explained[row].parts}[variable["name"]]
        slope = (last["points"] - first["points"]) / (last["value"] - first["value"])
        total += first["points"] + (value - first["value"]) * slope
    alive = model.survival(
        cohort.x[row : row + 1], cohort.sites[row : row + 1], survival_study.horizons
    )[0]
    assert len(found["scales"]) == int(np.isfinite(alive).sum())
    for scale, wanted in zip(found["scales"], alive, strict=False):
        ticks = sorted(scale["ticks"], key=lambda t: t["points"])
        near = [t["points"] for t in ticks], [math.log(-math.log(t["value"])) for t in ticks]
        slope = (near[1][-1] - near[1][0]) / (near[0][-1] - near[0][0])
        height = near[1][0] + (total - near[0][0]) * slope
        assert math.exp(-math.exp(height)) == pytest.approx(wanted, abs=1e-6)


def test_ticks_are_round_and_within() -> None:
    ticks = round_ticks(-1.234, 8.9)
    assert ticks[0] >= -1.234
    assert ticks[-1] <= 8.9
    np.testing.assert_allclose(ticks, np.round(ticks))


def test_a_survival_curve_beyond_what_was_followed_is_unknown(survival_study: Study) -> None:
    model = fitted(survival_study, ("conditional", "cox"))
    cohort = survival_study.cohort
    alive = estimators.survival(
        model.estimator, model.inputs(cohort.x[:3], cohort.sites[:3]), np.array([1.0, 1e9])
    )
    assert np.isfinite(alive[:, 0]).all()
    assert np.isnan(alive[:, 1]).all()
