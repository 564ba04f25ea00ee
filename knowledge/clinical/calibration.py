"""From scores to probabilities that hold: one temperature, and a part for what has no entry.

The softmax of the learned scores is too sure, as the patient may have what no entry is.  Neither
the order nor what is looked at by its raw share changes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Calibration:
    """``temperature`` divides the scores; ``outside`` is the probability that no entry is right."""

    temperature: float = 1.0
    outside: float = 0.0

    def probabilities(self, scores: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """The probability of each entry, from the log scores of all of them ``[entries]``."""
        return (1 - self.outside) * softmax(scores / self.temperature)


def softmax(scores: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Shares of 1 whose logarithms differ as the scores do."""
    shares = np.exp(scores.astype(np.float64) - float(scores.max()))
    return np.asarray(shares / shares.sum())


@lru_cache(maxsize=1)
def shipped_calibration() -> Calibration:
    """What `bench.differential_calibration` found, as it ships."""
    text = (files("knowledge.clinical") / "calibration.json").read_text(encoding="utf-8")
    return Calibration(**json.loads(text))
