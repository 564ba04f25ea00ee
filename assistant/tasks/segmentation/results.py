"""The masks of the last few images, for the page to lay over slices; in memory only."""

from __future__ import annotations

import threading
from collections import OrderedDict

from assistant.tasks.segmentation.segmentation import Segmentation

_KEPT = 4


class Results:
    """Shared by all pages and jobs of a process; found by what was segmented, and with what."""

    def __init__(self) -> None:
        self._held: OrderedDict[tuple[str, str], Segmentation] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, series: str, model: str, found: Segmentation) -> None:
        """``series`` is the SHA-256 of the series."""
        with self._lock:
            self._held[series, model] = found
            self._held.move_to_end((series, model))
            while len(self._held) > _KEPT:
                self._held.popitem(last=False)

    def get(self, series: str, model: str) -> Segmentation | None:
        """What was kept, if it still is."""
        with self._lock:
            return self._held.get((series, model))
