from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import postgresql_server
import pytest
from postgresql_server import PostgresqlServer

from assistant.store import Context, DraftRow, RequestRow, Store


class Clock:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> None:
        self.now += timedelta(**span)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def secret() -> bytes:
    return b"a secret that only the tests use"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bedside.db"


@pytest.fixture
def store(path: Path, empty_database: Path, secret: bytes, clock: Clock) -> Iterator[Store]:
    shutil.copy(empty_database, path)
    store = Store.open(path, secret, clock)
    yield store
    store.close()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresqlServer]:
    """A PostgreSQL server of this run's own."""
    if not (programs := postgresql_server.programs()):
        # The checks before a change lands may not pass without it.
        give_up = pytest.fail if os.environ.get("CI") else pytest.skip
        give_up("no PostgreSQL server here: apt-get install postgresql runs these tests")
    with postgresql_server.running(programs) as server:
        yield server


@pytest.fixture
def context() -> Context:
    return Context("doctor-1", "doctor", "patient-1", "encounter-1")


@pytest.fixture
def other() -> Context:
    return Context("doctor-1", "doctor", "patient-2", "encounter-2")


@pytest.fixture
def submit(store: Store, context: Context) -> Callable[..., RequestRow]:
    def submit(
        kind: Any = "discharge_record",
        payload: dict[str, Any] | None = None,
        ctx: Context = context,
        **more: Any,
    ) -> RequestRow:
        payload = payload or {"text": "患者发热三天"}
        return store.requests.submit(ctx, kind, payload, "hash-1", **more)

    return submit


@pytest.fixture
def draft(store: Store, submit: Callable[..., RequestRow]) -> Callable[..., DraftRow]:
    def draft(
        text: str = "发热3天，咳嗽。",
        member: str = "glm",
        section: str = "诊疗经过",
        request: RequestRow | None = None,
    ) -> DraftRow:
        request = request or submit()
        return store.drafts.add(
            request.context,
            request.id,
            "discharge_record",
            member,
            section,
            {"text": text, "statements": []},
            record_hash="hash-1",
            model="model-1",
            prompt_version="p1",
            knowledge_version="k1",
        )

    return draft
