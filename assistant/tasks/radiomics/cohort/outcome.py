"""What is to be predicted: a class, or the time to an event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Whole = NDArray[np.int64]
Texts = NDArray[np.str_]

DAYS_A_YEAR = 365.25
PER_YEAR = {"days": DAYS_A_YEAR, "months": 12.0, "years": 1.0}
"""How many units of time are a year."""


@dataclass(frozen=True)
class Outcome:
    """One value a case.

    ``event``: the case is of the positive class, or its event was seen.  ``time``: until the event
    or until the case was last seen, in the table's own unit; None for a class.
    """

    event: Flags
    time: Floats | None = None

    @property
    def is_survival(self) -> bool:
        """Whether there are times."""
        return self.time is not None

    def __len__(self) -> int:
        return len(self.event)

    def take(self, rows: Whole) -> Outcome:
        """Those of ``rows``."""
        return Outcome(self.event[rows], None if self.time is None else self.time[rows])

    def structured(self) -> Any:
        """As scikit-survival takes it: an array of (event, time)."""
        assert self.time is not None
        made = np.empty(len(self.event), dtype=[("event", "?"), ("time", "<f8")])
        made["event"], made["time"] = self.event, self.time
        return made

    @property
    def strata(self) -> Whole:
        """What folds are balanced by: the class, or whether the event was seen."""
        return self.event.astype(np.int64)
