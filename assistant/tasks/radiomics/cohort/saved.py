"""A model in a file, without pickle: skops, with the types that may be in it named here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from assistant.tasks.radiomics.cohort.columns import Column, Columns
from assistant.tasks.radiomics.cohort.explanation import BACKGROUND
from assistant.tasks.radiomics.cohort.model import Candidate, FittedModel
from assistant.tasks.radiomics.cohort.nested import Study
from assistant.tasks.radiomics.cohort.outcome import Floats
from assistant.tasks.radiomics.cohort.refusal import CohortRefused
from assistant.whole_file import whole

FORMAT = 1
_OURS = "assistant.tasks.radiomics.cohort."
TRUSTED = (
    _OURS + "harmonisation.ComBat",
    _OURS + "preparation.Preparation",
    _OURS + "selection.Selection",
    "collections.OrderedDict",
    "collections.defaultdict",
    "lightgbm.basic.Booster",
    "lightgbm.sklearn.LGBMClassifier",
    "numpy.dtype",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.tree._tree.Tree",
    "sklearn.utils._bunch.Bunch",
    "sksurv.ensemble.forest.RandomSurvivalForest",
    "sksurv.functions.StepFunction",
    "sksurv.linear_model.coxnet.CoxnetSurvivalAnalysis",
    "sksurv.linear_model.coxph.BreslowEstimator",
    "sksurv.tree._criterion.LogrankCriterion",
    "sksurv.tree.tree.SurvivalTree",
)


@dataclass(frozen=True)
class SavedModel:
    """A model with what is needed to read a table and to say what a number means.

    ``cuts``: thresholds by name.  ``background``: inputs of some training cases, by which models
    that are not linear explain; empty for those that are.
    """

    model: FittedModel
    columns: Columns
    site: str
    positive: str
    cuts: dict[str, float]
    horizons: Floats
    years: tuple[float, ...]
    background: Floats
    seed: int

    @property
    def is_survival(self) -> bool:
        """Whether times are predicted."""
        return self.model.candidate.model in ("cox", "survival_forest")


def keep(study: Study, model: FittedModel, cuts: dict[str, float], site: str) -> SavedModel:
    """What of a study is needed to predict."""
    cohort, linear = study.cohort, model.candidate.model in ("logistic", "cox")
    random = np.random.default_rng(study.settings.seed)
    rows = random.permutation(len(cohort.x))[: 0 if linear else BACKGROUND]
    return SavedModel(
        model,
        cohort.columns,
        site,
        cohort.positive,
        cuts,
        study.horizons,
        study.settings.years,
        model.inputs(cohort.x[rows], cohort.sites[rows]),
        study.settings.seed,
    )


def save(saved: SavedModel, path: Path) -> None:
    """The file appears whole."""
    from skops import io

    model = saved.model
    content = {
        "format": FORMAT,
        "candidate": [model.candidate.selector, model.candidate.model],
        "preparation": model.preparation,
        "selection": model.selection,
        "estimator": model.estimator,
        "names": list(model.names),
        "columns": [[c.source, c.value] for c in saved.columns.taken],
        "site": saved.site,
        "positive": saved.positive,
        "cuts": saved.cuts,
        "horizons": saved.horizons,
        "years": list(saved.years),
        "background": saved.background,
        "seed": saved.seed,
    }
    with whole(path) as partial:
        io.dump(content, partial)


def load(path: Path) -> SavedModel:
    """The model at ``path``.

    Raises:
        CohortRefused: it is no such file, is of another version, or has types in it that no model
            of ours has; nothing of it is run then.
    """
    from skops import io

    try:
        strange = sorted(set(io.get_untrusted_types(file=path)) - set(TRUSTED))
    except Exception:
        raise CohortRefused(
            "不是可用的模型文件：请选择 bedside radiomics cohort 生成的 model.skops。"
            "(This is no model file: choose the model.skops that `radiomics cohort` wrote.)"
        ) from None
    if strange:
        raise CohortRefused(
            f"模型文件含有不允许的类型（{'、'.join(strange[:3])}），未加载：请只用本程序生成的"
            "模型。(The file has types that no model of ours has; it was not loaded.)"
        )
    try:
        content = io.load(path, trusted=list(TRUSTED))
        return _read(content)
    except (KeyError, TypeError, ValueError, AttributeError, ImportError):
        raise CohortRefused(
            "模型与本版本不符：请用本版本重新建立模型。"
            "(The model is of another version: make it anew.)"
        ) from None


def _read(content: dict[str, Any]) -> SavedModel:
    if content["format"] != FORMAT:
        raise ValueError
    model = FittedModel(
        Candidate(*content["candidate"]),
        content["preparation"],
        content["selection"],
        content["estimator"],
        tuple(content["names"]),
    )
    return SavedModel(
        model,
        Columns(tuple(Column(source, value) for source, value in content["columns"])),
        content["site"],
        content["positive"],
        content["cuts"],
        content["horizons"],
        tuple(content["years"]),
        content["background"],
        content["seed"],
    )
