"""The source's hashes, taken while its weights are converted.

Both read the whole checkpoint.  Hashing is the quicker one, so what it reads lies in the system's
cache when the conversion comes to it, and the disk is read once.
"""

from __future__ import annotations

import threading

from serving.ir.checkpoint import Checkpoint


class Digests(threading.Thread):
    """SHA-256 of every file of ``checkpoint`` by its name; starts at once, and ends with the
    process where nobody waits for it."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__(name="digests", daemon=True)
        self._checkpoint = checkpoint
        self._found: dict[str, str] = {}
        self._error: Exception | None = None
        self.start()

    def run(self) -> None:
        """Hash; what goes wrong is raised by `result`."""
        try:
            self._found = self._checkpoint.digests()
        except Exception as error:
            self._error = error

    def result(self) -> dict[str, str]:
        """Wait for all of them.

        Raises:
            OSError: a file could not be read.
        """
        self.join()
        if self._error is not None:
            raise self._error
        return self._found
