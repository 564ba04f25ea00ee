"""A study that is dropped while the disk is full: a sentence, and the next one is kept again."""

from __future__ import annotations

import errno
from types import SimpleNamespace
from typing import Any, cast

from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from imaging_samples import series, written

from assistant.api.context import Actor, Services
from assistant.ui.host import Host
from assistant.ui.imaging import dropping


class Full:
    """Attachments on a disk without room."""

    def __init__(self) -> None:
        self.room = False
        self.kept = 0

    def add(self, context: Any, content: Any) -> None:
        if not self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.kept += 1


class Ward:
    async def clinician(self, request: Request) -> Actor:
        return Actor("dr", "doctor")


def test_a_full_disk_is_said_and_left_behind_nothing() -> None:
    held = Full()
    app = FastAPI()
    parts = cast(Services, SimpleNamespace(store=SimpleNamespace(attachments=held)))
    dropping.serve(app, cast(Host, Ward()), parts)

    client = TestClient(app)
    body, headers = written(series()[0]), {"X-Patient-Id": "pat-1"}
    full = client.post("/pages/studies", content=body, headers=headers)
    assert full.status_code == 507
    assert "磁盘空间" in full.json()["detail"]
    held.room = True
    assert client.post("/pages/studies", content=body, headers=headers).json() == {
        "kept": 1,
        "later": "",
    }
