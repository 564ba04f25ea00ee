"""A lock that processes of one machine share and that ends with its holder."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType


class FileLock:
    """``with FileLock(path):`` waits until no other process holds the lock on ``path``."""

    def __init__(self, path: Path) -> None:
        """The file is made when it is locked, and stays."""
        self._path = path
        self._file = -1

    def __enter__(self) -> FileLock:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._file)
        self._file = -1
