"""From a table's columns to those that are known, vary and can be measured again, on one scale.

Every number here is learnt by `fit` from the training cases of a fold, and only applied to others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from assistant.tasks.radiomics.cohort.association import association
from assistant.tasks.radiomics.cohort.harmonisation import ComBat
from assistant.tasks.radiomics.cohort.outcome import Floats, Outcome, Texts, Whole
from assistant.tasks.radiomics.cohort.settings import CohortSettings

_MOST = 20_000
"""Columns that go on; of more than these, the least associated are left behind."""


class Preparation:
    """Missing values, scanners, filters that know no outcome, scale.

    ``kept_`` are the places of the columns that `apply` gives; ``counts_``: how many each
    step left.
    """

    def __init__(
        self,
        settings: CohortSettings,
        names: Sequence[str],
        reproducible: Mapping[str, float] | None = None,
    ) -> None:
        """``reproducible``: the ICC of features; one without is not judged by it."""
        self.max_missing, self.min_variance = settings.max_missing, settings.min_variance
        self.harmonise = settings.harmonise
        icc = reproducible or {}
        self.steady: list[bool] = [icc.get(name, 1.0) >= settings.min_icc for name in names]
        clinical = set(settings.clinical)
        self.of_image: list[bool] = [name.split("=")[0] not in clinical for name in names]

    def fit(self, x: Floats, outcome: Outcome, sites: Texts) -> Preparation:
        """``x``: cases × columns, NaN where unknown."""
        known = np.isfinite(x)
        left = known.mean(axis=0) >= 1 - self.max_missing
        self.counts_: dict[str, int] = {"read": x.shape[1], "known": int(left.sum())}
        self.median_: Floats = np.zeros(x.shape[1])
        self.median_[left] = np.nanmedian(x[:, left], axis=0)
        filled = self._fill(x)
        images = np.array(self.of_image)
        self.combat_: ComBat | None = None
        if self.harmonise and len(set(sites.tolist())) > 1 and images.any():
            self.combat_ = ComBat().fit(filled[:, images], sites)
        whole = self._harmonised(filled, sites)
        mean, spread = whole.mean(axis=0), whole.std(axis=0)
        left &= (spread**2 > self.min_variance) & (spread > 1e-10 * (np.abs(mean) + 1e-10))
        self.counts_["varying"] = int(left.sum())
        left &= np.array(self.steady)
        self.counts_["reproducible"] = int(left.sum())
        if not left.any():
            left[int(np.argmax(spread))] = True
        self.kept_: Whole = _nearest(whole, outcome, np.flatnonzero(left))
        self.mean_: Floats = mean[self.kept_]
        spread = spread[self.kept_]
        self.spread_: Floats = np.where(spread > 0, spread, 1.0)
        return self

    def apply(self, x: Floats, sites: Texts) -> Floats:
        """Cases × kept columns, as z-scores of the training cases."""
        return (self.harmonised(x, sites) - self.mean_) / self.spread_

    def harmonised(self, x: Floats, sites: Texts) -> Floats:
        """Cases × kept columns in their own units, without gaps."""
        return self._harmonised(self._fill(x), sites)[:, self.kept_]

    def _fill(self, x: Floats) -> Floats:
        return np.where(np.isfinite(x), x, self.median_)

    def _harmonised(self, filled: Floats, sites: Texts) -> Floats:
        if self.combat_ is None:
            return filled
        images = np.array(self.of_image)
        made = filled.copy()
        made[:, images] = self.combat_.apply(filled[:, images], sites)
        return made


def _nearest(x: Floats, outcome: Outcome, places: Whole) -> Whole:
    if len(places) <= _MOST:
        return places
    chi2, _ = association(x[:, places], outcome)
    return np.sort(places[np.argsort(-chi2, kind="stable")[:_MOST]])
