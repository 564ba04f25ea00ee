"""What needs no model, and what comes at once, does not wait for those that do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from assistant.draft import Draft
from assistant.opening import open_secret
from assistant.settings import Settings
from assistant.store import Context, DraftRow, RequestRow, Store
from assistant.ui.session import Work as Shown
from assistant.ui.status import status_line
from assistant.ui.strings import Text
from assistant.ui.watch import keep
from assistant.work import pace
from assistant.work.events import Delta, Event, Waiting
from assistant.work.jobs import Jobs
from assistant.work.registry import OtherDraft

CONTEXT = Context("dr", "doctor", "pat-1", "enc-1")


class Work:
    """``slow`` needs a model and takes until it is let go, ``light`` needs none; of ``slow`` one
    word comes at once."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.let_prepare = asyncio.Event()
        self.let_prepare.set()
        self.performed: list[tuple[str, bool]] = []
        self.prepared: list[str] = []

    def bound(self, kind: str) -> bool:
        return True

    def needs_model(self, kind: str) -> bool:
        return kind != "light"

    def prepares(self, kind: str) -> bool:
        return kind == "slow"

    def draft(self, row: DraftRow) -> Draft:
        return OtherDraft.model_validate(row.content["draft"])

    async def prepare(self, row: RequestRow) -> AsyncGenerator[Event]:
        self.prepared.append(row.id)
        await self.let_prepare.wait()
        yield Delta(text="先")

    async def perform(self, row: RequestRow, *, prepared: bool = False) -> AsyncGenerator[Event]:
        self.performed.append((row.id, prepared))
        if row.kind == "slow":
            await self.go.wait()
        yield Delta(text="后")


@pytest.fixture
def store(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    for name in ("POLL_SECONDS", "RETRY_SECONDS", "HEARTBEAT_SECONDS", "LOOK_SECONDS"):
        monkeypatch.setattr(pace, name, 0.02)
    opened = Store.open(settings.database, open_secret(settings))
    yield opened
    opened.close()


@pytest.fixture
async def work() -> Work:
    return Work()


@pytest.fixture
async def jobs(store: Store, work: Work) -> AsyncIterator[Jobs]:
    """One worker."""
    opened = Jobs(store, work, workers=1, limit=99)
    await opened.start()
    yield opened
    await opened.stop()


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.01)


async def submit(jobs: Jobs, kind: str, **more: Any) -> str:
    row = await jobs.submit(CONTEXT, kind, {"text": "文"}, "hash", **more)
    return row.id


async def told(jobs: Jobs, request_id: str) -> list[Event]:
    return [event async for event in jobs.events(CONTEXT, request_id)]


def words(events: list[Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, Delta)]


async def test_light_work_is_done_while_every_worker_is_busy(jobs: Jobs, work: Work) -> None:
    busy = await submit(jobs, "slow")
    await until(lambda: [done for done, _ in work.performed] == [busy])
    light = await submit(jobs, "light")
    assert (await told(jobs, light))[-1].name == "finished"
    assert [done for done, _ in work.performed] == [busy, light]


async def test_what_comes_at_once_is_told_while_the_request_waits(
    jobs: Jobs, work: Work, store: Store
) -> None:
    busy = await submit(jobs, "slow")
    await until(lambda: [done for done, _ in work.performed] == [busy])
    waiting = await submit(jobs, "slow")
    events = jobs.events(CONTEXT, waiting)
    async for event in events:
        if isinstance(event, Delta):
            break
    assert event == Delta(text="先")
    assert store.requests.status(waiting) == "queued"
    work.go.set()
    rest = [event async for event in events]
    assert words(rest) == ["后"]
    assert work.performed[1] == (waiting, True), "the work knows what was told"
    assert words(await told(jobs, busy)) == [], "nothing is left of it in memory"
    assert len(jobs.channels) == 0


async def test_work_whose_turn_comes_waits_for_its_preparing(jobs: Jobs, work: Work) -> None:
    work.let_prepare.clear()
    work.go.set()
    request = await submit(jobs, "slow")
    watching = asyncio.create_task(told(jobs, request))
    await until(lambda: bool(work.prepared) or bool(work.performed))
    await asyncio.sleep(0.1)
    work.let_prepare.set()
    assert words(await watching) in (["先", "后"], ["后"])
    for done, prepared in work.performed:
        assert prepared == (done in work.prepared)


async def test_what_waited_at_a_stop_is_prepared_by_the_next_start(
    store: Store, work: Work
) -> None:
    before = Jobs(store, work, workers=0, limit=9)
    first, second = await submit(before, "slow"), await submit(before, "slow")
    after = Jobs(store, work, workers=1, limit=9)
    await after.start()
    # Either may have the first turn; the worker marks one as running before it performs it.
    await until(lambda: [done for done, _ in work.performed] == [first])
    await until(lambda: second in work.prepared)
    await after.stop()


async def test_a_cancelled_request_leaves_nothing(jobs: Jobs, work: Work) -> None:
    await submit(jobs, "slow")
    waiting = await submit(jobs, "slow")
    await until(lambda: waiting in work.prepared)
    await jobs.cancel(CONTEXT, waiting)
    await until(lambda: waiting not in jobs.workers.light.known())
    work.go.set()
    await until(lambda: len(jobs.channels) == 0)


async def test_place_and_expected_wait_are_told(jobs: Jobs, work: Work, store: Store) -> None:
    work.go.set()
    await told(jobs, await submit(jobs, "slow"))
    work.go.clear()
    busy = await submit(jobs, "slow")
    await until(lambda: store.requests.status(busy) == "running")
    await submit(jobs, "slow")
    third = await submit(jobs, "slow")
    assert await jobs.outlook(busy, "slow") is None
    await asyncio.sleep(2 * pace.LOOK_SECONDS)
    found = await jobs.outlook(third, "slow")
    assert found is not None
    assert found.place == 2
    assert found.expected_seconds is not None
    event = await anext(jobs.events(CONTEXT, third))
    assert isinstance(event, Waiting)
    assert (event.id, event.place) == (third, 2)


async def test_a_doctor_goes_before_anothers_flood(jobs: Jobs, work: Work, store: Store) -> None:
    busy = await submit(jobs, "slow", source="key:robot")
    await until(lambda: store.requests.status(busy) == "running")
    flood = [await submit(jobs, "slow", source="key:robot") for _ in range(10)]
    batch = await submit(jobs, "slow", source="key:other", batch=True)
    click = await submit(jobs, "slow", source="ui")
    work.go.set()
    await until(lambda: len(work.performed) == 13)
    assert [done for done, _ in work.performed] == [busy, click, *flood, batch]


async def test_work_that_nobody_asks_about_goes_last(
    jobs: Jobs, work: Work, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistant.work.queue.GONE", timedelta(seconds=0.3))
    busy = await submit(jobs, "slow")
    await until(lambda: store.requests.status(busy) == "running")
    left, watched = await submit(jobs, "slow"), await submit(jobs, "slow")
    watching = asyncio.create_task(told(jobs, watched))
    await asyncio.sleep(0.5)
    work.go.set()
    await watching
    await told(jobs, left)
    assert [done for done, _ in work.performed] == [busy, watched, left]


def test_the_page_says_how_many_are_in_front_and_how_long_it_takes() -> None:
    shown = Shown(state="queued")
    keep(shown, Waiting(id="r", place=3, expected_seconds=42.0))
    assert "前面还有 2 项 · 预计约 42 秒后开始" in status_line(shown, Text("zh"))
    keep(shown, Waiting(id="r", place=2))
    assert "1 in front" in status_line(shown, Text("en"))
    assert "begins" not in status_line(shown, Text("en"))
