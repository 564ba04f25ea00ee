"""How long a doctor waits while another client has sixty jobs in the queue.

A server of its own, with a slowed echo for a model, takes sixty discharge records and questions of
one client; when its workers are busy, one doctor asks for a differential diagnosis and another asks
a question.  What is measured is the time from a doctor's request to the knowledge ranking, to the
passages, to the first text of a model, and how long one running job takes meanwhile.  A first case
is worked on before all, so that the opening of models is not in the figures.

    python -m bench.fair_queue --jobs 60 --seconds-per-word 0.02
"""

from __future__ import annotations

import argparse
import json
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import uvicorn

import assistant.engines as engines
from assistant.application import build_app, open_store, quiet_libraries
from assistant.engine_settings import EngineSettings
from assistant.settings import PanelMember, Settings
from serving.engines.echo import EchoEngine

ROOT = Path(__file__).parent.parent
SAMPLES = ROOT / "assistant" / "samples"
WORKERS = 2
DDX, DISCHARGE, ANSWERS = "/v1/differential-diagnoses", "/v1/discharge-records", "/v1/answers"
ROBOT = {"X-Actor-Id": "batch-client"}
DOCTORS = ({"X-Actor-Id": "dr-li"}, {"X-Actor-Id": "dr-wang"})


def serve(home: Path, seconds_per_word: float) -> tuple[str, uvicorn.Server]:
    """A server on a free port."""
    quiet_libraries()
    sys.path.append(str(ROOT / "tests"))
    from knowledge_sample import build_sample

    build_sample(home / "knowledge").close()

    class Slowed(EchoEngine):
        def __init__(self) -> None:
            super().__init__(seconds_per_word=seconds_per_word)

    engines.EchoEngine = Slowed  # type: ignore[misc]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = Settings(
        home=home,
        port=port,
        jobs=WORKERS,
        engines={"demo": EngineSettings(kind="echo")},
        panel=[PanelMember(name="甲", engine="demo")],
        encoder="hashing",
    )
    app = build_app(settings, with_ui=False)
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="critical"))
    threading.Thread(target=server.run, daemon=True).start()
    while not server.started:
        time.sleep(0.05)
    return f"http://127.0.0.1:{port}", server


def sample(folder: str, number: int) -> dict[str, Any]:
    """One of the shipped samples."""
    files = sorted((SAMPLES / folder).glob("*.json"))
    loaded: dict[str, Any] = json.loads(files[number % len(files)].read_text("utf-8"))
    return loaded


def fill(client: httpx.Client, jobs: int) -> None:
    """The other client's work, accepted and waiting."""
    for number in range(jobs):
        if number % 2:
            body = {"question": f"肺炎有哪些症状？{number}", "patient_id": f"robot-{number}"}
            client.post(ANSWERS, json=body, headers=ROBOT).raise_for_status()
        else:
            stay = {"encounter": sample("encounters", number)}
            client.post(DISCHARGE, json=stay, headers=ROBOT).raise_for_status()


def events_of(
    client: httpx.Client,
    path: str,
    body: dict[str, Any],
    headers: dict[str, str],
) -> Iterator[tuple[float, str, dict[str, Any]]]:
    """(seconds since the request was sent, event, data) of a doctor's job."""
    began = time.perf_counter()
    job = client.post(path, json=body, headers=headers)
    job.raise_for_status()
    with client.stream("GET", job.json()["links"]["events"], headers=headers) as stream:
        name = ""
        for line in stream.iter_lines():
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                yield time.perf_counter() - began, name, json.loads(line[6:])


def measure(address: str, jobs: int) -> dict[str, float]:
    """The doctor's times, in seconds."""
    client = httpx.Client(base_url=address, trust_env=False, timeout=600)
    case = {k: v for k, v in sample("cases", 0).items() if k not in ("id", "title_zh", "title_en")}
    client.post(DDX, params={"wait": True}, json=case, headers=DOCTORS[0]).raise_for_status()
    fill(client, jobs)
    # The workers are in the middle of somebody else's work.
    time.sleep(1.0)
    found: dict[str, float] = {}
    case["patient"]["id"], case["encounter_id"] = "pat-1", "enc-1"

    def ask_panel() -> None:
        headers = {**DOCTORS[0], "X-Patient-Id": "pat-1", "X-Encounter-Id": "enc-1"}
        for seconds, name, data in events_of(client, DDX, case, headers):
            if name == "waiting":
                found.setdefault("place events_of after", seconds)
            if name == "draft" and not data["model"]:
                found.setdefault("knowledge ranking", seconds)
            if name == "draft" and data["model"]:
                found.setdefault("panel's first model", seconds)
                return

    def ask_question() -> None:
        body = {"question": "过敏性鼻炎要做什么检查？", "patient_id": "pat-2"}
        headers = {**DOCTORS[1], "X-Patient-Id": "pat-2"}
        for seconds, name, _ in events_of(client, ANSWERS, body, headers):
            if name == "passages":
                found.setdefault("passages", seconds)
            if name == "delta":
                found.setdefault("answer's first text", seconds)
                return

    asking = [threading.Thread(target=ask) for ask in (ask_panel, ask_question)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=60)
    parser.add_argument("--seconds-per-word", type=float, default=0.02)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        address, server = serve(home, given.seconds_per_word)
        found = measure(address, given.jobs)
        store = open_store(Settings(home=home))
        ran = store.requests.queue()
        store.close()
        server.should_exit = True
    usual = max(ran.usual.values(), default=0.0)
    for what, seconds in sorted(found.items(), key=lambda pair: pair[1]):
        print(f"{what:22} {seconds:7.2f} s")
    print(f"{'one job, median':22} {statistics.median(ran.usual.values() or [0.0]):7.2f} s")
    print(f"{'still waiting':22} {len(ran.waiting):7d}")
    text = found["answer's first text"]
    good = found["knowledge ranking"] <= 1.0 and text <= usual + 1.0
    print("as it should be" if good else "TOO SLOW")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
