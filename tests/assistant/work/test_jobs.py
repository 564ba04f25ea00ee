"""Accepted work survives a kill, and no log line holds a patient's text."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import httpx
import pytest
import warm_process
from starlette.testclient import TestClient

from assistant.application import build_app
from assistant.draft import Draft
from assistant.opening import open_secret
from assistant.settings import Settings
from assistant.store import Context, DatabaseFailed, DraftRow, InvalidArgument, RequestRow, Store
from assistant.work import pace as module
from assistant.work.events import Delta, DraftReady, Event
from assistant.work.jobs import Jobs, TooManyJobs
from assistant.work.registry import OtherDraft
from serving.engine import EngineBusy

DDX = "/v1/differential-diagnoses"
PATIENT = {"X-Patient-Id": "pat-1", "X-Encounter-Id": "enc-1"}

SERVER = """
import sys, uvicorn
from pathlib import Path
from assistant.application import build_app
from assistant.engine_settings import EngineSettings
from assistant.settings import PanelMember, Settings
import assistant.engines as engines
from serving.engines.echo import EchoEngine

class SlowEcho(EchoEngine):
    def __init__(self):
        super().__init__(seconds_per_word=float(sys.argv[3]))

engines.EchoEngine = SlowEcho
settings = Settings(
    home=Path(sys.argv[1]), port=int(sys.argv[2]),
    engines={"demo": EngineSettings(kind="echo")},
    panel=[PanelMember(name="甲", engine="demo")], encoder="hashing",
)
uvicorn.run(build_app(settings, with_ui=False), port=settings.port, log_level="warning")
"""


def start(home: Path, port: int, delay: float) -> ForkServerProcess:
    arguments = ["-c", SERVER, str(home), str(port), str(delay)]
    process = warm_process.start(arguments, os.environ)
    for _ in range(300):
        try:
            if httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).status_code == 200:
                return process
        except httpx.HTTPError:
            time.sleep(0.1)
    process.kill()
    raise AssertionError("the server did not start")


def test_an_accepted_job_survives_a_kill_and_finishes_after_the_restart(
    settings: Settings, case: dict[str, Any], free_port: int
) -> None:
    base = f"http://127.0.0.1:{free_port}"
    process = start(settings.home, free_port, 0.5)
    try:
        with httpx.Client(base_url=base, trust_env=False) as client:
            job = client.post(DDX, json=case)
            assert job.status_code == 202
            for _ in range(100):
                drafts = client.get(f"{DDX}/{job.json()['id']}", headers=PATIENT).json()["drafts"]
                if drafts:
                    break
                time.sleep(0.05)
        assert [d["member"] for d in drafts] == ["知识库排序"], "killed in the middle of the work"
        process.kill()
        process.join()
        process = start(settings.home, free_port, 0.0)
        with httpx.Client(base_url=base, trust_env=False) as client:
            for _ in range(200):
                now = client.get(f"{DDX}/{job.json()['id']}", headers=PATIENT).json()
                if now["status"] == "finished":
                    break
                time.sleep(0.1)
        assert now["status"] == "finished"
        assert [d["member"] for d in now["drafts"]] == ["知识库排序", "甲"]
        assert now["drafts"][0]["id"] == drafts[0]["id"], "the kept draft was not made again"
    finally:
        process.kill()
        process.join()
    store = Store.open(settings.database, open_secret(settings))
    try:
        assert store.audit.verify().ok
    finally:
        store.close()


Steps = Callable[[RequestRow], AsyncGenerator[Event]]
CONTEXT = Context("dr", "doctor", "pat-1", "enc-1")


class Work:
    """Work that is the function that it is given."""

    def __init__(self, steps: Steps) -> None:
        self.steps = steps

    def bound(self, kind: str) -> bool:
        if kind == "horoscope":
            raise InvalidArgument
        return True

    def needs_model(self, kind: str) -> bool:
        return True

    def prepares(self, kind: str) -> bool:
        return False

    def draft(self, row: DraftRow) -> Draft:
        return OtherDraft.model_validate(row.content["draft"])

    def prepare(self, row: RequestRow) -> AsyncGenerator[Event]:
        raise NotImplementedError

    def perform(self, row: RequestRow, *, prepared: bool = False) -> AsyncGenerator[Event]:
        return self.steps(row)


async def nothing(row: RequestRow) -> AsyncGenerator[Event]:
    yield Delta(text="字")


@pytest.fixture
def store(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    for name in ("POLL_SECONDS", "RETRY_SECONDS", "BUSY_SECONDS", "HEARTBEAT_SECONDS"):
        monkeypatch.setattr(module, name, 0.02)
    opened = Store.open(settings.database, open_secret(settings))
    yield opened
    opened.close()


def jobs_of(store: Store, perform: Steps = nothing, *, workers: int = 1, limit: int = 9) -> Jobs:
    return Jobs(store, Work(perform), workers=workers, limit=limit)


def submit(store: Store, text: str = "一") -> RequestRow:
    return store.requests.submit(CONTEXT, "discharge_record", {"text": text}, text)


def add_draft(store: Store, row: RequestRow, member: str = "甲") -> str:
    versions = {"model": "m", "prompt_version": "p", "knowledge_version": "k"}
    content = {"text": "文", "draft": {"member": member}}
    return store.drafts.add(
        row.context,
        row.id,
        "discharge_record",
        member,
        "",
        content,
        record_hash=row.record_hash,
        **versions,
    ).id


async def told(jobs: Jobs, request_id: str) -> list[Event]:
    return [event async for event in jobs.events(CONTEXT, request_id)]


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that has to come (the test's own time limit is the suite's)."""
    while not condition():
        await asyncio.sleep(0.01)


def failing(change: Callable[..., Any], times: int) -> Callable[..., Any]:
    """``change``, which fails as a full disk does the first ``times`` times."""
    left = iter(range(times))

    def call(*arguments: Any) -> Any:
        if next(left, None) is not None:
            raise DatabaseFailed("full")
        return change(*arguments)

    return call


async def test_a_full_queue_accepts_nothing(store: Store) -> None:
    jobs = jobs_of(store, workers=0, limit=1)
    question = (CONTEXT, "chat", {"question": "?"}, "hash")
    first = await jobs.submit(*question, idempotency_key="k")
    with pytest.raises(TooManyJobs):
        await jobs.submit(*question)  # type: ignore[arg-type]
    again = await jobs.submit(*question, idempotency_key="k")  # type: ignore[arg-type]
    assert again.id == first.id, "what was accepted is found again"


async def test_an_unknown_kind_is_refused(store: Store) -> None:
    with pytest.raises(InvalidArgument):
        await jobs_of(store).submit(CONTEXT, "horoscope", {}, "hash")


async def test_a_worker_outlives_an_error_of_the_store(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store.requests, "claim_next", failing(store.requests.claim_next, 2))
    jobs = jobs_of(store)
    await jobs.start()
    assert (await told(jobs, submit(store).id))[-1].name == "finished"
    assert jobs.alive
    await jobs.stop()
    assert not jobs.alive


@pytest.mark.parametrize("end", ["finish", "fail"])
async def test_the_end_is_kept_even_if_the_store_fails_first(
    store: Store, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    async def broken(row: RequestRow) -> AsyncGenerator[Event]:
        yield Delta(text="字")
        raise ValueError

    monkeypatch.setattr(store.requests, end, failing(getattr(store.requests, end), 2))
    jobs = jobs_of(store, nothing if end == "finish" else broken)
    await jobs.start()
    row = submit(store)
    wanted = "finished" if end == "finish" else "failed"
    assert (await told(jobs, row.id))[-1].name == wanted
    assert store.requests.status(row.id) == wanted
    await jobs.stop()


async def test_a_second_process_leaves_running_work_alone_until_its_heartbeat_stops(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []

    async def endless(row: RequestRow) -> AsyncGenerator[Event]:
        begun.append(row.id)
        yield Delta(text="字")
        await asyncio.Event().wait()

    first = jobs_of(store, endless)
    await first.start()
    row = submit(store)
    await until(lambda: begun == [row.id])
    second_store = Store.open(settings.database, open_secret(settings))
    second = jobs_of(second_store)
    await second.start()
    beat = store.requests.get(CONTEXT, row.id).heartbeat_at
    await until(lambda: store.requests.get(CONTEXT, row.id).heartbeat_at != beat)
    assert store.requests.status(row.id) == "running"
    assert begun == [row.id]
    # The first process dies: nobody says any more that the work goes on.
    first.workers.tasks[-1].cancel()
    monkeypatch.setattr(module, "SILENT_SECONDS", 0.0)
    await until(lambda: store.requests.status(row.id) == "finished")
    await first.stop()
    await second.stop()
    second_store.close()


async def test_alone_on_the_database_it_takes_up_at_once_what_was_left(store: Store) -> None:
    row = submit(store)
    store.requests.claim(row.id)
    jobs = jobs_of(store)
    await jobs.start()
    assert (await told(jobs, row.id))[-1].name == "finished"
    await jobs.stop()


async def test_what_another_process_does_is_told_with_its_drafts(store: Store) -> None:
    here = jobs_of(store, workers=0)
    row = submit(store)
    watching = asyncio.create_task(told(here, row.id))
    await until(lambda: bool(here.channels))
    store.requests.claim(row.id)
    kept = add_draft(store, row)
    store.requests.finish(row.id)
    events = await watching
    assert [e.name for e in events] == ["draft", "finished"]
    assert events[0].data["id"] == kept
    assert not here.channels, "nothing is left of the watching"


async def test_a_purge_ends_the_stream(store: Store) -> None:
    jobs = jobs_of(store, workers=0)
    row = submit(store)
    watching = asyncio.create_task(told(jobs, row.id))
    await until(lambda: bool(jobs.channels))
    store.purge_patient("pat-1", Context.operator("admin"))
    assert [e.name for e in await watching] == ["failed"]


async def test_waiting_leaves_no_rows_in_the_audit(store: Store) -> None:
    jobs = jobs_of(store, workers=0)
    row = submit(store)
    watching = asyncio.create_task(told(jobs, row.id))
    await until(lambda: bool(jobs.channels))
    before = len(store.audit.list())
    await asyncio.sleep(5 * module.POLL_SECONDS)
    assert len(store.audit.list()) == before
    await jobs.cancel(CONTEXT, row.id)
    assert [e.name for e in await watching] == ["cancelled"]


async def test_cancelled_between_taking_and_beginning_nothing_is_made(store: Store) -> None:
    begun: list[str] = []

    async def noting(row: RequestRow) -> AsyncGenerator[Event]:
        begun.append(row.id)
        yield Delta(text="字")

    jobs = jobs_of(store, noting, workers=0)
    row = submit(store)
    claimed = store.requests.claim(row.id)
    assert claimed is not None
    await jobs.cancel(CONTEXT, row.id)
    await jobs.workers.do(claimed)
    assert begun == []
    assert store.requests.status(row.id) == "cancelled"


async def test_when_the_work_begins_again_the_watcher_is_told(store: Store) -> None:
    busy = [EngineBusy(0)]

    async def stumbling(row: RequestRow) -> AsyncGenerator[Event]:
        yield DraftReady(id="d1", draft=OtherDraft())
        yield Delta(text="字")
        if busy:
            raise busy.pop()

    jobs = jobs_of(store, stumbling)
    row = submit(store)
    await jobs.start()
    names = [e.name for e in await told(jobs, row.id)]
    after = names[names.index("restarted") :] if "restarted" in names else names
    assert after in (
        ["restarted", "delta", "finished"],
        ["restarted", "draft", "delta", "finished"],
    )
    assert names.count("draft") == 1
    await jobs.stop()


def test_no_log_line_at_any_level_holds_patient_text(
    settings: Settings, case: dict[str, Any], encounter: dict[str, Any], caplog: Any
) -> None:
    app = build_app(settings, with_ui=False)
    with (
        caplog.at_level(logging.DEBUG),
        TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client,
    ):
        client.post(DDX, params={"wait": True}, json=case)
        client.post("/v1/discharge-records", params={"wait": True}, json={"encounter": encounter})
        client.post(
            "/v1/answers",
            params={"wait": True},
            json={"question": "青霉素秘密问题", "patient_id": "pat-1"},
        )
        client.post(DDX, json=case | {"chief_complaint": ["秘密主诉"]})
        client.get("/v1/knowledge/search", params={"q": "秘密检索词"})
        broken = json.dumps(case, ensure_ascii=False).encode()[:-5]
        client.post(DDX, content=broken, headers={"Content-Type": "application/json"})
    lines = "\n".join(f"{r.getMessage()} {r.exc_text or ''}" for r in caplog.records)
    secrets = ["测试甲", "受凉后", "咳黄痰", "秘密", encounter["patient"]["name"]]
    secrets += [note["text"][5:15] for note in encounter["notes"]]
    assert [s for s in secrets if s in lines] == []
