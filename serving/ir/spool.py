"""A file for weights on their way into the IR: written once, read back as a mapping.

Constants point into the mapping, so the weights of a whole model are never in this process's own
memory; the system may drop their pages at any time.
"""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

_ALIGNMENT = 64


class Spool:
    """An append-only file of arrays; removed when left."""

    def __init__(self, path: Path) -> None:
        """``path`` is created anew."""
        self._path = path
        self._file = path.open("wb", buffering=0)
        self._kept: list[Any] = []

    def keep(self, array: NDArray[Any]) -> NDArray[Any]:
        """The same numbers, lying in the file."""
        if array.nbytes < _ALIGNMENT:
            self._kept.append(array)
            return array
        offset = self._file.tell()
        self._write(np.ascontiguousarray(array).data.cast("B"))
        self._write(memoryview(bytes(-array.nbytes % _ALIGNMENT)))
        # OpenVINO takes writable memory only, though it never writes to a constant.
        kept = np.memmap(self._path, array.dtype, "r+", offset=offset, shape=array.shape)
        self._kept.append(kept)
        return kept

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
        os.unlink(self._path)
