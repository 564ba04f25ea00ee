"""The model's ``.bin``: weights are written to it once, as they come, and read back as a mapping.

Constants point into the mapping, so the weights of a whole model are never in this process's own
memory; the system may drop their pages at any time.  The model's ``.xml`` is written afterwards
and says where each of them lies (`serving.ir.serialization`).
"""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

_ALIGNMENT = 64
# Bytes that are mapped at once: every mapping holds a descriptor of the file, of which a process
# may have about a thousand, fewer than a large model has arrays.
_STRETCH = 256 << 20


class WeightFile:
    """An append-only file of arrays.

    It is longer than what it holds, for as long as it is open: it has the length of what is mapped.
    """

    def __init__(self, path: Path) -> None:
        """``path`` is created anew."""
        self._path = path
        self._file = path.open("wb", buffering=0)
        self._end = 0
        self._stretches: list[tuple[int, NDArray[np.uint8]]] = []

    def keep(self, array: NDArray[Any]) -> NDArray[Any]:
        """The same numbers, lying in the file.

        Raises:
            OSError: the disk takes no more.
        """
        offset = self.append(array)
        begin, stretch = self._stretches[-1] if self._stretches else (0, np.empty(0, np.uint8))
        if offset + array.nbytes > begin + len(stretch):
            begin, stretch = self._map(offset, array.nbytes)
        part = stretch[offset - begin : offset - begin + array.nbytes]
        return part.view(array.dtype).reshape(array.shape)

    def append(self, array: NDArray[Any]) -> int:
        """Write an array; the byte at which it begins.  Raises as `keep` does."""
        offset = self._end
        self._write(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
        self._write(memoryview(bytes(-array.nbytes % _ALIGNMENT)))
        return offset

    def offset(self, address: int) -> int | None:
        """Where in the file that lies which lies at ``address`` in memory; None if not in it."""
        for begin, stretch in self._stretches:
            place = address - stretch.ctypes.data
            if 0 <= place < len(stretch):
                return begin + place
        return None

    def flush(self) -> None:
        """Cut the file to what it holds, and wait until the disk has it."""
        os.truncate(self._file.fileno(), self._end)
        os.fsync(self._file.fileno())

    def _map(self, begin: int, size: int) -> tuple[int, NDArray[np.uint8]]:
        length = max(size, _STRETCH)
        os.truncate(self._file.fileno(), begin + length)
        # OpenVINO takes writable memory only, though it never writes to a constant.
        mapped = np.memmap(self._path, np.uint8, "r+", offset=begin, shape=(length,))
        self._stretches.append((begin, mapped))
        return begin, mapped

    def _write(self, data: memoryview) -> None:
        # numpy's own `tofile` does not say why it failed; the system writes 2 GiB at most at once.
        while data:
            count = self._file.write(data)
            data = data[count:]
            self._end += count

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stretches.clear()
        os.truncate(self._file.fileno(), self._end)
        self._file.close()
