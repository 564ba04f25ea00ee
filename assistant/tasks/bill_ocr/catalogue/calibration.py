"""How sure a match is, and from where on it is given: a logistic model fitted on made names.

``data/catalogue_calibration.yaml`` holds its weights; ``bench/catalogue.py --fit`` writes it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml

MOST_MARGIN = 3.0


@dataclass(frozen=True, slots=True)
class Features:
    """``distance`` of the chosen name and ``margin`` to the next other name, in characters
    wrong; ``tells``: strength, mark or maker agreed."""

    distance: float
    margin: float
    tells: bool

    def values(self) -> dict[str, float]:
        """By the names of the weights."""
        return {
            "distance": self.distance,
            "margin": min(self.margin, MOST_MARGIN),
            "tells": float(self.tells),
        }


@cache
def _weights() -> dict[str, float]:
    text = files("assistant.tasks.bill_ocr").joinpath("data/catalogue_calibration.yaml")
    loaded = yaml.safe_load(text.read_text(encoding="utf-8"))
    return {str(key): float(value) for key, value in loaded.items()}


def confidence(features: Features) -> float:
    """The chance that the match is right, 0–1."""
    weights = _weights()
    told = features.values()
    score = weights["intercept"] + sum(weights[name] * value for name, value in told.items())
    return 1 / (1 + math.exp(-max(-60.0, min(60.0, score))))


def threshold() -> float:
    """From which confidence on a match is given."""
    return _weights()["threshold"]
