"""General diagnoses and their kinds: a part of what the kinds share goes to the general one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from knowledge.clinical.entry import Entry

Floats = npt.NDArray[np.float32]

UNCLEAR, CLEAR = 0.4, 0.95
"""The share of the likeliest kind among the kinds up to which, and from which on, the case is as
unclear, or as clear, as it can be."""
WRITTEN_UNCLEAR: Final = 0.4
WRITTEN_CLEAR: Final = 0.2
"""How much of a disease's probability goes to the general diagnosis that it is a kind of: below
a half, and less where one kind is clear, so that it stands before the general one."""


class Kinds:
    """Which entries are kinds of which."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        rows = {entry.name: row for row, entry in enumerate(entries)}
        self._kinds = {
            row: np.array(kinds)
            for row, entry in enumerate(entries)
            if (kinds := [rows[name] for name in entry.kinds if name in rows])
        }

    def shared(self, scores: Floats) -> Floats:
        """Log scores ``[entries]`` with a part of each kind's probability given to its general
        diagnosis.

        Many kinds that are each a little likely make it likely: a child with fever and cough has
        a pneumonia, whichever it is.
        """
        if not self._kinds:
            return scores
        top = float(scores.max())
        share = np.exp(scores.astype(np.float64) - top)
        result, given = share.copy(), np.zeros(len(share))
        for row, below in self._kinds.items():
            written = _written(share[below])
            result[row] += written * share[below].sum()
            given[below] = np.maximum(given[below], written)
        result -= given * share
        return np.asarray(top + np.log(np.maximum(result, 1e-30)), np.float32)


def _written(shares: npt.NDArray[np.float64]) -> float:
    """The part of the kinds' probabilities ``[kinds]`` that their general diagnosis is given."""
    total = float(shares.sum())
    likeliest = float(shares.max()) / total if total > 0 else 1.0
    clear = min(1.0, max(0.0, (likeliest - UNCLEAR) / (CLEAR - UNCLEAR)))
    return WRITTEN_UNCLEAR + clear * (WRITTEN_CLEAR - WRITTEN_UNCLEAR)
