"""Alone or not on a database: said by a lock that ends with its process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from assistant.process_lock import ProcessLock
from assistant.store import Store

SECRET = b"a secret that only the tests use"
HOLDER = """
import sys
from assistant.process_lock import ProcessLock
from assistant.store import Store
lock = ProcessLock(Store.open(sys.argv[1], b"a secret that only the tests use"))
print(lock.enter(), flush=True)
lock.share()
sys.stdin.read()
"""


def test_the_second_is_not_alone_and_the_next_after_all_have_left_is(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "bedside.db", SECRET)
    first, second, third = (ProcessLock(store) for _ in range(3))
    assert first.enter()
    first.share()
    assert not second.enter()
    first.leave()
    assert not third.enter(), "the second is still there"
    second.leave()
    third.leave()
    assert first.enter()
    first.leave()
    store.close()


def test_a_killed_process_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "bedside.db"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "True\n"
    store = Store.open(path, SECRET)
    here = ProcessLock(store)
    assert not here.enter()
    here.leave()
    holder.kill()
    holder.communicate()
    assert here.enter()
    here.leave()
    store.close()
