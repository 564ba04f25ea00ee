"""Accepted work survives a kill, and no log line holds a patient's text."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from assistant.application import build_app, open_secret
from assistant.jobs import Jobs, TooManyJobs
from assistant.settings import Settings
from assistant.store import Context, Store

DDX = "/v1/differential-diagnoses"
PATIENT = {"X-Patient-Id": "pat-1", "X-Encounter-Id": "enc-1"}

SERVER = """
import sys, uvicorn
from pathlib import Path
from assistant.application import build_app
from assistant.settings import EngineSettings, PanelMember, Settings
import assistant.engines as engines
from serving.echo import EchoEngine

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


def start(home: Path, port: int, delay: float) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", SERVER, str(home), str(port), str(delay)])
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
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
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
        process.wait()
    store = Store.open(settings.database, open_secret(settings))
    try:
        assert store.audit.verify().ok
    finally:
        store.close()


async def test_a_full_queue_accepts_nothing(settings: Settings) -> None:
    store = Store.open(settings.database, open_secret(settings))
    jobs = Jobs(store, None, workers=0, limit=1)  # type: ignore[arg-type]
    context = Context("dr", "doctor", "pat-1")
    await jobs.submit(context, "chat", {"question": "?"}, "hash")
    with pytest.raises(TooManyJobs):
        await jobs.submit(context, "chat", {"question": "?"}, "hash")
    store.close()


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
