"""The model's ``.bin``: weights are written to it once, as they come, and read back as a mapping.

Constants point into the mapping, so the weights of a whole model are never in this process's own
memory; the system may drop their pages at any time.  The model's ``.xml`` is written afterwards
and says where each of them lies (`serving.ir.serialization`).
"""

from __future__ import annotations

import os
from bisect import bisect_right
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

_ALIGNMENT = 64


class WeightFile:
    """An append-only file of arrays."""

    def __init__(self, path: Path) -> None:
        """``path`` is created anew."""
        self._path = path
        self._file = path.open("wb", buffering=0)
        self._kept: list[NDArray[Any]] = []
        self._addresses: list[tuple[int, int, int]] = []

    def keep(self, array: NDArray[Any]) -> NDArray[Any]:
        """The same numbers, lying in the file."""
        offset = self.append(array)
        # OpenVINO takes writable memory only, though it never writes to a constant.
        kept = np.memmap(self._path, array.dtype, "r+", offset=offset, shape=array.shape)
        self._kept.append(kept)
        address = kept.ctypes.data
        self._addresses.append((address, address + kept.nbytes, offset))
        return kept

    def append(self, array: NDArray[Any]) -> int:
        """Write an array; the byte at which it begins."""
        offset = self._file.tell()
        self._write(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
        self._write(memoryview(bytes(-array.nbytes % _ALIGNMENT)))
        return offset

    def offset(self, address: int) -> int | None:
        """Where in the file that lies which lies at ``address`` in memory; None if not in it."""
        self._addresses.sort()
        index = bisect_right(self._addresses, (address, np.inf, 0)) - 1
        if index < 0:
            return None
        start, stop, offset = self._addresses[index]
        return offset + address - start if address < stop else None

    def flush(self) -> None:
        """Wait until the disk has it."""
        os.fsync(self._file.fileno())

    def _write(self, data: memoryview) -> None:
        # numpy's own `tofile` does not say why it failed; the system writes 2 GiB at most at once.
        while data:
            data = data[self._file.write(data) :]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._kept.clear()
        self._file.close()
