"""How fast this machine reads memory at this moment.

python -m bench.bandwidth
"""

from __future__ import annotations

import json
import os
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

# A dot product must stay on the thread that asks for it.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from bench.machine import describe

_BYTES = 1536 << 20


class Probe:
    """Reads a buffer much larger than any cache, each core its own part."""

    def __init__(self, size: int = _BYTES) -> None:
        cores = os.cpu_count() or 1
        self._parts = [np.ones(size // 4 // cores, dtype=np.float32) for _ in range(cores)]
        self._size = sum(part.nbytes for part in self._parts)
        self._pool = ThreadPoolExecutor(cores)

    def __call__(self, passes: int = 3) -> float:
        """Bytes per second, the median of some passes."""
        return statistics.median(self._pass() for _ in range(passes))

    def _pass(self) -> float:
        begin = time.perf_counter()
        list(self._pool.map(_read, self._parts))
        return self._size / (time.perf_counter() - begin)


def _read(values: np.ndarray) -> float:
    # A vector's dot product with itself reads it once, in the widest registers there are.
    return float(np.dot(values, values))


if __name__ == "__main__":
    rounds = [Probe()() / 1e9 for _ in range(5)]
    line = {
        "bench": "bandwidth",
        "read_gb_per_second": round(statistics.median(rounds), 1),
        "rounds": [round(value, 1) for value in rounds],
    }
    print(json.dumps(line | describe()))
