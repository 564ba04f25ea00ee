"""Files by the hash of what they hold, under one folder.

A file is whole or not there: it is written aside, brought to the disk, and then renamed.  Whoever
keeps or deletes one holds the database's writer, so that no file goes whose row is just made.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Collection
from pathlib import Path

ASIDE = "aside"
STALE_SECONDS = 3600.0
"""An upload takes less: what lies aside for longer was left by a kill."""


class Contents:
    """The files under ``folder``, which is made when the first is kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, sha256: str) -> Path:
        """Where the content with this hash is."""
        return self._folder / sha256[:2] / sha256

    def put_aside(self, data: bytes) -> Path:
        """Bring ``data`` to the disk, not yet under its name."""
        folder = self._folder / ASIDE
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / secrets.token_hex(16)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            # On a disk that is full the part that was written would only fill it more.
            path.unlink(missing_ok=True)
            raise
        return path

    def keep(self, aside: Path, sha256: str) -> None:
        """Give what was put aside its name."""
        path = self.path(sha256)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        aside.replace(path)
        _sync_folder(path.parent)

    def read(self, sha256: str) -> bytes:
        """The content.  Raises `FileNotFoundError`."""
        return self.path(sha256).read_bytes()

    def delete(self, hashes: Collection[str]) -> None:
        """Delete these; one that is not there is deleted already."""
        for sha256 in hashes:
            self.path(sha256).unlink(missing_ok=True)

    def delete_all_but(self, hashes: Collection[str]) -> int:
        """Delete what a kill has left: files of no row, and what lies aside for long."""
        count = 0
        for path in self._folder.glob("*/*"):
            if path.parent.name == ASIDE:
                left = time.time() - path.stat().st_mtime > STALE_SECONDS
            else:
                left = path.name not in hashes
            if left:
                path.unlink(missing_ok=True)
                count += 1
        return count


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
