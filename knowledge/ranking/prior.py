"""How likely a disease is before any finding is known.

``prior(d) = common·tier(d) + popularity·log(1 + mentions(d)) + group(d, patient) - restated(d)``:
a curated list of what every department sees daily, how much is sold for and written about a
disease, and whether the patient's age and sex fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from knowledge.disease import Disease
from knowledge.ranking.demographics import Group, Sex, disease_group
from knowledge.text.folding import fold
from knowledge.text.synonyms import SynonymTable

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class CommonDisease:
    """A line of ``data/common_diseases.tsv``: how common (1 to 3), and from and to which age."""

    name: str
    tier: int
    low: float
    high: float
    sex: Sex | None


@lru_cache(maxsize=1)
def common_diseases() -> dict[str, CommonDisease]:
    """The curated list by folded name."""
    text = (files("knowledge") / "data" / "common_diseases.tsv").read_text(encoding="utf-8")
    table: dict[str, CommonDisease] = {}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        names, tier, low, high, sex = [*line.split("\t"), ""][:5]
        chosen: Sex | None = "male" if sex == "male" else "female" if sex == "female" else None
        for name in names.split("|"):
            table[fold(name)] = CommonDisease(name, int(tier), float(low), float(high), chosen)
    return table


@dataclass(frozen=True)
class PriorWeights:
    """The numbers of the formula; all are in natural-log units."""

    common: float = 1.3
    popularity: float = 0.2
    outside_strict: float = 8.0
    outside: float = 2.0
    inside: float = 1.2
    wrong_sex: float = 10.0
    restated: float = 1.5


class Prior:
    """The priors of all diseases of a base."""

    def __init__(
        self,
        diseases: Sequence[Disease],
        popularity: Floats,
        table: SynonymTable,
        weights: PriorWeights = PriorWeights(),
    ) -> None:
        """``popularity`` is log(1 + mentions), one a disease."""
        self._weights = weights
        known = [
            next((c for n in (d.name, *d.aliases) if (c := common_diseases().get(fold(n)))), None)
            for d in diseases
        ]
        tiers = np.array([entry.tier if entry else 0 for entry in known], np.float32)
        # A name that only restates a symptom (鼻塞) explains nothing.
        restated = np.array([table.canonical(d.name) is not None for d in diseases], np.float32)
        self._fixed: Floats = (
            weights.common * tiers
            + weights.popularity * np.asarray(popularity, np.float32)
            - weights.restated * restated * (tiers == 0)
        ).astype(np.float32)
        groups = [_group(d, entry) for d, entry in zip(diseases, known, strict=True)]
        self._low = np.array([g.low for g in groups], np.float32)
        self._high = np.array([g.high for g in groups], np.float32)
        self._strict = np.array([g.strict for g in groups])
        self._stated = np.array([g.stated for g in groups])
        self._sex = np.array(
            [{"male": 1, "female": 2}.get(g.sex or "", 0) for g in groups], np.int8
        )

    def scores(self, age_years: float | None, sex: Sex | None) -> Floats:
        """The log prior of each disease for a patient of this age and sex."""
        total = self._fixed.copy()
        weights = self._weights
        if age_years is not None:
            inside = (self._low - 0.01 <= age_years) & (age_years <= self._high + 0.5)
            total += np.where(self._stated & inside, weights.inside, 0.0).astype(np.float32)
            total -= np.where(~inside & self._strict, weights.outside_strict, 0.0).astype(
                np.float32
            )
            total -= np.where(~inside & ~self._strict, weights.outside, 0.0).astype(np.float32)
        if sex is not None:
            other = 2 if sex == "male" else 1
            total -= np.where(self._sex == other, weights.wrong_sex, 0.0).astype(np.float32)
        return total


def _group(disease: Disease, common: CommonDisease | None) -> Group:
    group = disease_group(disease.name, disease.population, disease.departments)
    if common is None or group.strict:
        return group
    return Group(common.low, common.high, common.sex or group.sex, stated=True)
