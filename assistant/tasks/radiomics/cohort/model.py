"""A chain that predicts: preparation, selection and estimator, fitted on the same cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from assistant.tasks.radiomics.cohort import estimators
from assistant.tasks.radiomics.cohort.outcome import Floats, Outcome, Texts
from assistant.tasks.radiomics.cohort.preparation import Preparation
from assistant.tasks.radiomics.cohort.screening import screen
from assistant.tasks.radiomics.cohort.selection import Selection
from assistant.tasks.radiomics.cohort.settings import CohortSettings


@dataclass(frozen=True, order=True)
class Candidate:
    """A way to select and a way to predict."""

    selector: str
    model: str

    @property
    def name(self) -> str:
        """``lasso+logistic``."""
        return f"{self.selector}+{self.model}"


def candidates(settings: CohortSettings, is_survival: bool) -> tuple[Candidate, ...]:
    """All that the inner folds compare; of equally good ones the first is taken."""
    models: Sequence[str] = settings.survival_models if is_survival else settings.models
    return tuple(Candidate(s, m) for s in settings.selectors for m in models)


@dataclass
class FittedModel:
    """What predicts a case.  ``names``: of the columns that the preparation keeps."""

    candidate: Candidate
    preparation: Preparation
    selection: Selection
    estimator: Any
    names: tuple[str, ...]

    def inputs(self, x: Floats, sites: Texts) -> Floats:
        """What the estimator is given: cases × `input_names`."""
        return self.selection.apply(self.preparation.apply(x, sites))

    @property
    def input_names(self) -> tuple[str, ...]:
        """Features, or components."""
        return self.selection.names(self.names)

    @property
    def used(self) -> tuple[str, ...]:
        """The features that the prediction depends on."""
        kept = self.selection.kept_
        if self.selection.weights_ is None and self.candidate.model == "cox":
            kept = kept[np.abs(self.estimator.coef_[:, 0]) > 0]
        return tuple(self.names[place] for place in kept)

    def risk(self, x: Floats, sites: Texts) -> Floats:
        """One number a case, see `estimators.risk`."""
        return estimators.risk(self.estimator, self.inputs(x, sites))

    def survival(self, x: Floats, sites: Texts, times: Floats) -> Floats:
        """Cases × times."""
        return estimators.survival(self.estimator, self.inputs(x, sites), times)


def prepare(
    x: Floats,
    outcome: Outcome,
    sites: Texts,
    names: Sequence[str],
    settings: CohortSettings,
    icc: Mapping[str, float] | None,
) -> Preparation:
    """A preparation that has seen these cases and no others."""
    return Preparation(settings, names, icc).fit(x, outcome, sites)


def fit_model(
    candidate: Candidate,
    x: Floats,
    outcome: Outcome,
    sites: Texts,
    names: Sequence[str],
    settings: CohortSettings,
    icc: Mapping[str, float] | None = None,
) -> FittedModel:
    """The whole chain, fitted on these cases and no others."""
    ready = prepare(x, outcome, sites, names, settings, icc)
    z = ready.apply(x, sites)
    screened = screen(z, outcome, settings)
    ready.counts_ |= {"associated": screened.associated, "apart": len(screened.kept)}
    chosen = Selection(candidate.selector, settings).fit(z, outcome, screened)
    fitted = estimators.fit(
        estimators.estimator(candidate.model, settings), chosen.apply(z), outcome
    )
    return FittedModel(candidate, ready, chosen, fitted, tuple(names[p] for p in ready.kept_))
