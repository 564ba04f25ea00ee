"""A folder to work in beside the one that is to be made; gone whatever ends the work."""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def workspace(target: Path) -> Iterator[Path]:
    """An empty hidden folder beside ``target``; rename it to ``target`` or it is removed.

    It is locked for as long as its process lives, so what a process that was killed has left is
    known by its free lock, and is removed here.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    for left in target.parent.glob(f".{target.name}.partial.*"):
        _remove_if_abandoned(left)
    # Not a folder of `tempfile`, which only its own user could read once it is renamed.
    work = target.parent / f".{target.name}.partial.{secrets.token_hex(4)}"
    work.mkdir()
    lock = os.open(work, os.O_RDONLY)
    try:
        _lock(lock)
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)
        os.close(lock)


def _remove_if_abandoned(folder: Path) -> None:
    try:
        lock = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        if _lock(lock):
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)


def _lock(folder: int) -> bool:
    """Whether the lock was free; False also on a network drive that has none."""
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in (errno.EWOULDBLOCK, errno.EACCES, errno.ENOLCK, errno.ENOTSUP):
            raise
        return False
    return True
