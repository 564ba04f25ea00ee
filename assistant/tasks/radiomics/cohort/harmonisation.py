"""ComBat: features of several scanners brought to one scale.

Johnson, Li and Rabinovic, Biostatistics 2007;8:118, with the parametric prior; for images Fortin
et al., NeuroImage 2018;167:104.  It learns from the training cases alone and never sees an outcome.
"""

from __future__ import annotations

import numpy as np

from assistant.tasks.radiomics.cohort.outcome import Floats, Texts

_LEAST_CASES = 3
_STEPS, _CLOSE = 100, 1e-4


class ComBat:
    """``fit`` on training cases, ``apply`` to any; a site that was not there keeps its values."""

    def fit(self, x: Floats, sites: Texts) -> ComBat:
        """``x``: cases × features without NaN; ``sites``: one a case.

        A site with fewer than three cases is taken as one that was not there.
        """
        names, counts = np.unique(sites, return_counts=True)
        self.sites_: list[str] = [
            str(n) for n, c in zip(names, counts, strict=True) if c >= _LEAST_CASES
        ]
        rows = np.isin(sites, self.sites_)
        x, sites = x[rows], sites[rows]
        if len(self.sites_) < 2:
            self.sites_ = []
            return self
        groups = [x[sites == name] for name in self.sites_]
        shares = np.array([len(group) for group in groups])[:, None] / len(x)
        means = np.array([group.mean(axis=0) for group in groups])
        self.mean_: Floats = (shares * means).sum(axis=0)
        within = sum(((g - m) ** 2).sum(axis=0) for g, m in zip(groups, means, strict=True))
        spread = np.sqrt(np.asarray(within) / len(x))
        # A feature that is constant within each site has nothing that could be scaled.
        self.spread_: Floats = np.where(spread > 1e-12 * (1 + np.abs(self.mean_)), spread, 1.0)
        flat = spread != self.spread_
        shifts, scales = [], []
        for group in groups:
            shift, scale = _posterior((group - self.mean_) / self.spread_, ~flat)
            shifts.append(shift)
            scales.append(scale)
        self.shift_: Floats = np.array(shifts)
        self.scale_: Floats = np.sqrt(np.array(scales))
        return self

    def apply(self, x: Floats, sites: Texts) -> Floats:
        """The features as the average scanner would have given them."""
        made = x.copy()
        for place, name in enumerate(self.sites_):
            rows = sites == name
            z = (x[rows] - self.mean_) / self.spread_
            z = (z - self.shift_[place]) / self.scale_[place]
            made[rows] = z * self.spread_ + self.mean_
        return made


def _posterior(z: Floats, usable: np.ndarray) -> tuple[Floats, Floats]:
    """A site's additive and multiplicative effect of each feature, shrunk to their common prior.

    The prior of shifts is normal, that of scales inverse gamma, both by the method of moments.
    """
    n = len(z)
    mean, variance = z.mean(axis=0), z.var(axis=0, ddof=1)
    if usable.sum() < 3:
        return mean, np.where(usable & (variance > 0), variance, 1.0)
    centre, spread = mean[usable].mean(), max(float(mean[usable].var(ddof=1)), 1e-12)
    m, s2 = variance[usable].mean(), max(float(variance[usable].var(ddof=1)), 1e-12)
    shape, rate = (2 * s2 + m * m) / s2, (m * s2 + m**3) / s2
    shift, scale = mean.copy(), np.maximum(variance, 1e-12)
    square = ((z - mean) ** 2).sum(axis=0)
    for _ in range(_STEPS):
        new_shift = (n * spread * mean + scale * centre) / (n * spread + scale)
        new_scale = (rate + 0.5 * (square + n * (mean - new_shift) ** 2)) / (n / 2 + shape - 1)
        change = max(
            float(np.abs(new_shift - shift).max()), float(np.abs(new_scale / scale - 1).max())
        )
        shift, scale = new_shift, new_scale
        if change < _CLOSE:
            break
    return np.where(usable, shift, mean), np.where(usable, scale, 1.0)
