"""Whether this process is the only one at work on an SQLite database.

Every process that works on requests holds a shared lock on a file beside the database; who gets
the lock alone is the only one.  The kernel gives it back when a process ends, however it ends.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from assistant.store import Store


class ProcessLock:
    """This process's share of the lock.  PostgreSQL, which other machines reach, has none."""

    def __init__(self, store: Store) -> None:
        database = store.database
        self._path = (
            Path(f"{database.engine.url.database}.working.lock") if database.is_sqlite else None
        )
        self._file = -1

    def enter(self) -> bool:
        """Take a share until `leave`; True when nobody else had one."""
        if self._path is None:
            return False
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            fcntl.flock(self._file, fcntl.LOCK_SH)
            return False

    def share(self) -> None:
        """Let others in, after being alone."""
        if self._file >= 0:
            fcntl.flock(self._file, fcntl.LOCK_SH)

    def leave(self) -> None:
        """Give the share back."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
