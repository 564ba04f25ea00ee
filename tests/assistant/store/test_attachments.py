"""Attachments in the store: retention, and what a kill leaves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attachment_samples import page

from assistant.record.attachment_content import read
from assistant.store import Context, Store

KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from attachment_samples import page
from assistant.record.attachment_content import read
from assistant.store import Context, Store
from assistant.store.contents import Contents

def kill(self, *arguments):
    kept(self, *arguments) if sys.argv[3] == "after" else None
    os.kill(os.getpid(), signal.SIGKILL)

kept, Contents.keep = Contents.keep, kill
home = Path(sys.argv[1])
secret = b"a secret that only the tests use"
store = Store.open(home / "bedside.db", secret, contents=home / "attachments")
store.attachments.add(Context("doctor-1", "doctor", "patient-1"), read(page(), "image/png"))
"""
TESTS = Path(__file__).parents[2]


@pytest.fixture
def store(path: Path, secret: bytes, clock: Any) -> Iterator[Store]:
    store = Store.open(path, secret, clock, path.parent / "attachments")
    yield store
    store.close()


def files(path: Path) -> list[Path]:
    return [found for found in (path.parent / "attachments").glob("*/*") if found.is_file()]


def add(store: Store, context: Context, mark: int = 0) -> Any:
    return store.attachments.add(context, read(page(mark=mark), "image/png"))


def test_retention_deletes_what_no_request_names(
    store: Store, path: Path, context: Context, clock: Any
) -> None:
    named, unnamed = add(store, context), add(store, context, 1)
    clock.forward(days=20)
    request = store.requests.submit(
        context, "discharge_record", {"attachments": [named.model_dump()]}, "h"
    )
    store.requests.claim(request.id)
    store.requests.finish(request.id)
    clock.forward(days=20)
    assert store.purge_expired(30).attachments == 1
    assert [one.id for one in store.attachments.list(context)] == [named.id]
    assert [file.name for file in files(path)] == [named.sha256]
    actions = [row.action for row in store.audit.list(object_id=unnamed.id)]
    assert actions[0] == "attachment.purge"
    clock.forward(days=20)
    assert store.purge_expired(30).attachments == 1
    assert files(path) == []
    assert store.audit.verify().ok


@pytest.mark.parametrize("when", ["before", "after"])
def test_what_a_kill_left_is_swept_and_belongs_to_nobody(
    store: Store, path: Path, context: Context, when: str
) -> None:
    kept = add(store, context, 1)
    arguments = [sys.executable, "-c", KILLED, str(path.parent), str(TESTS), when]
    killed = subprocess.run(arguments, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert len(files(path)) == 2
    assert store.attachments.list(Context("doctor-1", "doctor", "patient-1")) == []
    if when == "before":
        # An upload that is under way is left alone; one that has been there for long is not.
        assert store.attachments.sweep() == 0
        for left in files(path):
            os.utime(left, times=(0, 0))
    assert store.attachments.sweep() == 1
    assert [file.name for file in files(path)] == [kept.sha256]
    assert store.audit.verify().ok


def test_a_store_without_a_folder_takes_none(path: Path, secret: bytes, context: Context) -> None:
    with pytest.raises(ValueError, match="folder"):
        add(Store.open(path, secret), context)
