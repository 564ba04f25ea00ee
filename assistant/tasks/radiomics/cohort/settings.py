"""How a cohort is worked on, as a file that a study keeps."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from assistant.tasks.radiomics.cohort.refusal import CohortRefused

Selector = Literal["none", "conditional", "lasso", "mrmr", "pca", "ica"]
ClassModel = Literal["logistic", "tree", "forest", "boosting", "svm", "knn", "stack"]
_MANY, _MANY_FOLDS, _FEW_FOLDS = 40, 10, 5

SurvivalModel = Literal["cox", "survival_forest"]


class CohortSettings(BaseModel):
    """Everything that decides the result, beside the table; same settings, same result."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int = Field(1, ge=0, le=2**31 - 1)
    outer_folds: int = Field(
        0,
        ge=0,
        le=20,
        description="folds that give the figures, 3 or more; 0: 10 where each kind of outcome has "
        "40 cases, else 5",
    )
    inner_folds: int = Field(5, ge=3, le=10, description="folds that choose the model")
    repeats: int = Field(1, ge=1, le=20, description="how often the outer folds are drawn anew")

    clinical: tuple[str, ...] = Field((), description="columns that are not of an image")
    drop: tuple[str, ...] = Field((), description="columns that are left out")
    categorical: tuple[str, ...] = Field((), description="columns whose numbers are names")
    positive: str = Field("", description="the class to be found, of two or of several")
    time_unit: Literal["days", "months", "years"] = "days"
    years: tuple[float, ...] = Field((1, 3, 5), max_length=6)

    max_missing: float = Field(0.5, ge=0, lt=1, description="above this share a column is dropped")
    harmonise: bool = Field(True, description="ComBat between sites, where sites are given")
    min_variance: float = Field(0.0, ge=0, description="of a column, in its own unit")
    min_icc: float = Field(0.75, ge=0, le=1)
    fdr: float = Field(0.05, gt=0, le=1, description="of univariate tests; 1 keeps all")
    max_correlation: float = Field(0.9, gt=0, le=1)
    selectors: tuple[Selector, ...] = Field(("conditional", "lasso", "mrmr", "pca"), min_length=1)
    max_features: int = Field(10, ge=1, le=200, description="of mRMR, PCA and ICA")
    models: tuple[ClassModel, ...] = Field(
        ("logistic", "tree", "forest", "boosting", "svm", "knn", "stack"), min_length=1
    )
    survival_models: tuple[SurvivalModel, ...] = Field(("cox", "survival_forest"), min_length=1)

    thresholds: tuple[float, ...] = Field((0.5,), description="probabilities that are reported")
    min_sensitivity: float = Field(0.9, gt=0, lt=1, description="of the second threshold")

    @field_validator("outer_folds")
    @classmethod
    def _enough(cls, value: int) -> int:
        if value in (1, 2):
            raise ValueError("3 to 20, or 0")
        return value


def outer_count(settings: CohortSettings, least: int) -> int:
    """How many outer folds there are, where the rarer kind of outcome has ``least`` cases.

    With ten, models are trained on nine tenths and judged less harshly than the one that is kept
    deserves; a fold of a small cohort would have too few cases to be judged on.
    """
    return settings.outer_folds or (_MANY_FOLDS if least >= _MANY else _FEW_FOLDS)


def read_settings(path: Path | None, **given: Any) -> CohortSettings:
    """Settings of a YAML or JSON file; what is ``given`` and not None or empty goes before it.

    Raises:
        CohortRefused: the file is no mapping, or a value is out of its range.
    """
    written: Any = {}
    if path is not None:
        try:
            text = path.read_text("utf-8-sig")
            written = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
        except (OSError, UnicodeDecodeError, json.JSONDecodeError, yaml.YAMLError):
            raise CohortRefused(
                "设置文件不是有效的 UTF-8 YAML 或 JSON，请改正后重试。"
                "(The settings file is not valid YAML or JSON in UTF-8.)"
            ) from None
    if not isinstance(written or {}, dict):
        raise CohortRefused(
            "设置文件应为“名称: 值”的列表，例如 outer_folds: 5。"
            "(The settings file holds `name: value` lines, such as outer_folds: 5.)"
        )
    given = {name: value for name, value in given.items() if value not in (None, "", ())}
    return settings_of({**(written or {}), **given})


def settings_of(written: Mapping[str, Any]) -> CohortSettings:
    """Settings by their names.  Raises `CohortRefused` where one is unknown or out of its range."""
    try:
        return CohortSettings.model_validate(dict(written))
    except ValidationError as error:
        places = "、".join(".".join(map(str, item["loc"])) for item in error.errors())
        says = "; ".join(item["msg"] for item in error.errors())
        raise CohortRefused(
            f"设置有误：{places}。请改正或删去后重试。(Bad settings: {places}: {says}.)"
        ) from None
