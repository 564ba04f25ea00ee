"""General diagnoses and their kinds: a part of what the kinds share goes to the general one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from knowledge.clinical.entry import Entry

Floats = npt.NDArray[np.float32]

WRITTEN_GENERAL: Final = 0.35
"""How much of a disease's probability goes to the general diagnosis that it is a kind of: below
a half, so that a kind of which the case is clear stands before it."""


class Kinds:
    """Which entries are kinds of which."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        rows = {entry.name: row for row, entry in enumerate(entries)}
        self._kinds = {
            row: np.array(kinds)
            for row, entry in enumerate(entries)
            if (kinds := [rows[name] for name in entry.kinds if name in rows])
        }
        self._is_kind = np.zeros(len(entries), bool)
        for below in self._kinds.values():
            self._is_kind[below] = True

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
        result = np.where(self._is_kind, (1 - WRITTEN_GENERAL) * share, share)
        for row, below in self._kinds.items():
            result[row] += WRITTEN_GENERAL * share[below].sum()
        return np.asarray(top + np.log(np.maximum(result, 1e-30)), np.float32)
