"""A candidate beside the model in use: unseen, last in turn, compared blind."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any

import pytest
from monitored_ward import DDX, Ward
from sqlalchemy import select

from assistant.application import build_services
from assistant.engine_settings import EngineSettings
from assistant.engines import Engines
from assistant.monitoring.settings import ShadowCandidate, ShadowSettings
from assistant.monitoring.shadow.report import wilson
from assistant.monitoring.shadow.runner import Shadow
from assistant.settings import Settings
from assistant.store import SYSTEM, Context
from assistant.store.models.shadow import ShadowAnswerRow
from assistant.work.registry import installed
from knowledge.base import KnowledgeBase
from serving.engine import Chunk, Prompt, Sampling
from serving.engines.echo import EchoEngine

ADMIN = {"X-Actor-Id": "li-pharmacist", "X-Actor-Role": "admin"}
ZHAO = {"X-Actor-Id": "zhao-wei", "X-Actor-Role": "doctor"}
PATIENT = {"X-Patient-Id": "pat-1", "X-Encounter-Id": "enc-1"}
REPORT = "/v1/shadow/report"
COMPARISONS = "/v1/shadow/comparisons"


def test_a_candidate_answers_unseen_and_is_compared_blind(ward: Ward, case: dict[str, Any]) -> None:
    client = ward.client
    job = client.post(DDX, params={"wait": True}, json=case).json()
    assert client.post("/v1/shadow/run").status_code == 403
    assert client.post("/v1/shadow/run", headers=ADMIN).status_code == 200
    (report,) = client.get(REPORT).json()
    assert (report["task"], report["engine"]) == ("differential_diagnosis", "next")
    assert (report["answered"], report["failed"], report["sections"]) == (1, 0, 1)
    assert report["candidate"]["unsupported"] > 0, "the echo engine's filler has no evidence"
    assert (
        report["candidate"]["supported"] + report["candidate"]["unsupported"]
        == (report["candidate"]["statements"])
    )
    assert report["diagnoses"]["same_first"] == 1

    # No doctor sees it: not among the drafts, nor in what is counted of drafts.
    again = client.get(f"{DDX}/{job['id']}", headers=PATIENT)
    assert len(again.json()["drafts"]) == 2
    drafts = ward.store.drafts.list(Context("demo-doctor", "doctor", "pat-1", "enc-1"))
    assert sorted(d.member for d in drafts) == ["甲", "知识库排序"]
    assert "候选" not in again.text

    assert client.get(COMPARISONS).status_code == 403, "nobody's own name"
    (listed,) = client.get(COMPARISONS, headers=ZHAO).json()
    url = f"{COMPARISONS}/{listed['id']}"
    shown = client.get(url, headers=ZHAO).json()
    assert shown["record"]["chief_complaint"] == case["chief_complaint"]
    assert shown["a"].keys() == shown["b"].keys() == {""}
    assert "next" not in str(shown)
    assert client.post(url, headers=ZHAO, json={"preferred": "a"}).status_code == 204
    assert client.post(url, headers=ZHAO, json={"preferred": "b"}).status_code == 404, "once"
    assert client.get(COMPARISONS, headers=ZHAO).json() == []
    (report,) = client.get(REPORT).json()
    assert report["preferred"]["candidate"] + report["preferred"]["real"] == 1
    reads = [(r.action, r.actor_id) for r in ward.store.audit.list(patient_id="pat-1")]
    assert ("shadow.read", "zhao-wei") in reads

    # It is answered once, and goes with its patient.
    assert client.post("/v1/shadow/run", headers=ADMIN).json() == {"put": 0, "answered": 0}
    stages = client.get("/v1/monitoring/models").json()
    (next_one,) = (m for m in stages if m["engine"] == "next")
    assert [s["name"] for s in next_one["way"]] == ["candidate", "shadow"]
    ward.store.purge_patient("pat-1", SYSTEM)
    assert client.get(REPORT).json() == []


class Hospital:
    """The services without the workers, so that a test says what waits."""

    def __init__(self, settings: Settings, base: KnowledgeBase) -> None:
        self.parts = build_services(settings, installed(), base)
        self.shadow = Shadow(self.parts)
        self.asked, self.answers = asyncio.Event(), asyncio.Event()
        self.answers.set()
        self.patient = Context("doctor-1", "doctor", "pat-1", "enc-1")

    def ask(self, case: dict[str, Any]) -> str:
        """A request that waits."""
        store = self.parts.store
        return store.requests.submit(self.patient, "differential_diagnosis", case, "h").id

    def finish(self, request_id: str) -> None:
        self.parts.store.requests.claim(request_id)
        self.parts.store.requests.finish(request_id)


class Held(EchoEngine):
    """Answers once the test lets it."""

    def __init__(self, hospital: Hospital) -> None:
        super().__init__()
        self._hospital = hospital

    async def generate(
        self,
        prompt: Prompt,
        sampling: Sampling | None = None,
        schema: Mapping[str, Any] | None = None,
    ) -> AsyncGenerator[Chunk]:
        self._hospital.asked.set()
        await self._hospital.answers.wait()
        async with contextlib.aclosing(super().generate(prompt, sampling, schema)) as told:
            async for chunk in told:
                yield chunk


@pytest.fixture
async def hospital(
    settings: Settings, knowledge: KnowledgeBase, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Hospital]:
    monkeypatch.setattr(Engines, "load", lambda self, chosen, number=0: Held(made))
    candidate = ShadowCandidate(task="differential_diagnosis", engine="next", share=1.0)
    chosen = settings.model_copy(
        update={
            "engines": {**settings.engines, "next": EngineSettings(kind="echo")},
            "shadow": ShadowSettings(candidates=[candidate]),
        }
    )
    made = Hospital(chosen, knowledge)
    made.parts.engines.start()
    yield made
    await made.parts.engines.close()
    made.parts.store.close()


async def test_it_gives_way_to_whoever_waits(hospital: Hospital, case: dict[str, Any]) -> None:
    store, shadow = hospital.parts.store, hospital.shadow
    first = hospital.ask(case)
    assert await shadow.choose() == 0, "what is not finished is answered by nobody else"
    hospital.finish(first)
    assert await shadow.choose() == 1

    second = hospital.ask(case)
    assert not await shadow.answer_one(), "somebody waits"
    hospital.finish(second)

    await hospital.parts.engines.ready("next")
    hospital.asked.clear()
    hospital.answers.clear()
    work = asyncio.create_task(shadow.answer_one())
    await hospital.asked.wait()
    third = hospital.ask(case)
    assert not await work, "somebody came while the candidate answered"
    with store.database.read() as session:
        assert session.scalars(select(ShadowAnswerRow.attempts)).all() == [1]
    assert store.shadow.count_waiting() == 1
    hospital.finish(third)
    hospital.answers.set()
    while not await shadow.answer_one():
        pass
    (answer,) = store.shadow.list()
    # The real request has no draft here, so there is nothing to compare with.
    assert (answer.status, answer.differences["only_candidate"]) == ("done", [""])


async def test_a_candidate_that_fails_is_counted_as_such(
    hospital: Hospital, case: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    hospital.finish(hospital.ask(case))
    await hospital.parts.engines.ready("next")
    hospital.parts.engines.slots["next"].engine = None
    hospital.parts.engines.slots["next"].problem = "打不开"
    await hospital.shadow.choose()
    assert await hospital.shadow.answer_one()
    (answer,) = hospital.parts.store.shadow.list()
    assert answer.status == "failed"
    assert "没有写出" in answer.failure


def test_a_candidate_needs_an_engine_of_the_settings() -> None:
    candidate = ShadowCandidate(task="discharge_record", engine="nowhere")
    with pytest.raises(ValueError, match="nowhere"):
        Settings(shadow=ShadowSettings(candidates=[candidate]))


def test_the_interval_is_wilsons() -> None:
    # Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263 gives 0.2553 to 0.3662.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 0) is None
