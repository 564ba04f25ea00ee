"""How sure a match is, and from where on it is given: a logistic model fitted on made names.

``data/catalogue_calibration.yaml`` holds its weights; ``bench/catalogue.py --fit`` writes it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml

from assistant.tasks.bill_ocr.catalogue.distance import Strangeness

MOST_MARGIN = 3.0


@dataclass(frozen=True, slots=True)
class Features:
    """``distance`` of the chosen name and ``margin`` to the next other name, in characters
    wrong; ``agreed``: what else agreed (specification, marks, maker, form); ``strange``: what no
    misreading and no habit explains; ``common``: of each character that was written instead, how
    common it is in the list, 0–1, added up (的 is in no name, and so a misprint; 洛 is in many);
    ``joined``: the same of the commoner of the two pairs that it makes with its neighbours;
    ``length`` of the written name, and without salts and fillers; ``exact``: written as listed."""

    distance: float
    margin: float
    agreed: frozenset[str]
    strange: Strangeness
    common: float
    joined: float
    length: int
    bare_length: int
    exact: bool

    def values(self) -> dict[str, float]:
        """By the names of the weights."""
        return {
            "distance": self.distance,
            "margin": min(self.margin, MOST_MARGIN),
            "exact": float(self.exact),
            "maker": float("maker" in self.agreed),
            "specification": float(bool(self.agreed & {"specification", "marks"})),
            "form": float("form" in self.agreed),
            "replaced": float(self.strange.replaced),
            "common": self.common,
            "joined": self.joined,
            "left_out": float(self.strange.left_out > 0),
            "left_out_share": min(self.strange.left_out / max(self.length, 1), 1.0),
            "put_in": float(min(self.strange.put_in, 3)),
            "replaced_share": min(self.strange.replaced / max(self.length, 1), 1.0),
        }


@cache
def _weights() -> dict[str, float]:
    text = files("assistant.tasks.bill_ocr").joinpath("data/catalogue_calibration.yaml")
    loaded = yaml.safe_load(text.read_text(encoding="utf-8"))
    return {str(key): float(value) for key, value in loaded.items()}


def confidence(features: Features) -> float:
    """The chance that the match is right, 0–1."""
    weights = _weights()
    measured = features.values()
    score = weights["intercept"] + sum(weights[name] * value for name, value in measured.items())
    return 1 / (1 + math.exp(-max(-60.0, min(60.0, score))))


def threshold() -> float:
    """From which confidence on a match is given."""
    return _weights()["threshold"]
