"""What a doctor waits for, asked of a running server over HTTP.

Seconds until the passages of a chat answer, until the first generated text of a discharge record,
until the knowledge ranking and until every member of the panel has answered.  Each repetition sends
a record that the server has not seen, so that no prefix of the notes is cached.  One JSON line.

    make run                      # in another terminal
    python -m bench.latency --url http://127.0.0.1:8000
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from bench.machine import describe

SAMPLES = Path(__file__).parent.parent / "assistant" / "samples"
QUESTIONS = ("过敏性鼻炎要做什么检查？", "肺炎有哪些症状？", "急性心肌梗死的危险因素？")
COPIED = {"discharge_diagnosis", "discharge_orders"}


def events(
    client: httpx.Client, path: str, body: dict[str, Any], headers: dict[str, str]
) -> Iterator[tuple[float, str, dict[str, Any]]]:
    """(seconds since the request was sent, event, data) of one job."""
    begin = time.perf_counter()
    job = client.post(path, json=body).raise_for_status().json()
    name = ""
    with client.stream("GET", job["links"]["events"], headers=headers) as stream:
        for line in stream.iter_lines():
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                yield time.perf_counter() - begin, name, json.loads(line.removeprefix("data: "))


def chat(client: httpx.Client, number: int) -> dict[str, float]:
    body = {"question": QUESTIONS[number % len(QUESTIONS)], "patient_id": f"bench-{number}"}
    seen: dict[str, float] = {}
    for seconds, name, _ in events(
        client, "/v1/answers", body, {"X-Patient-Id": body["patient_id"]}
    ):
        seen.setdefault(name, seconds)
    return {"chat: passages": seen["passages"], "chat: first text": seen.get("delta", float("nan"))}


def discharge(client: httpx.Client, number: int) -> dict[str, float]:
    paths = sorted((SAMPLES / "encounters").glob("*.json"))
    encounter = json.loads(paths[number % len(paths)].read_text("utf-8"))
    encounter["patient"]["id"] = f"bench-{number}-{time.time_ns()}"
    for note in encounter["notes"]:
        note["text"] = f"编号{time.time_ns()}。{note['text']}"
    headers = {"X-Patient-Id": encounter["patient"]["id"], "X-Encounter-Id": encounter["id"]}
    seen: dict[str, float] = {}
    for seconds, name, data in events(
        client, "/v1/discharge-records", {"encounter": encounter}, headers
    ):
        if name == "delta":
            kind = "copied" if data["section"] in COPIED else "generated"
            seen.setdefault(kind, seconds)
        seen[name] = seconds
    return {
        "discharge: first copied text": seen["copied"],
        "discharge: first generated text": seen["generated"],
        "discharge: whole record": seen["finished"],
    }


def differential(client: httpx.Client, number: int) -> dict[str, float]:
    paths = sorted((SAMPLES / "cases").glob("*.json"))
    case = json.loads(paths[number % len(paths)].read_text("utf-8"))
    case = {k: v for k, v in case.items() if k not in ("id", "title_zh", "title_en")}
    case["patient"]["id"] = f"bench-{number}-{time.time_ns()}"
    case["present_illness"] = f"编号{time.time_ns()}。{case['present_illness']}"
    headers = {"X-Patient-Id": case["patient"]["id"], "X-Encounter-Id": case["encounter_id"]}
    drafts = []
    for seconds, name, _ in events(client, "/v1/differential-diagnoses", case, headers):
        if name == "draft":
            drafts.append(seconds)
    return {"panel: knowledge ranking": drafts[0], "panel: all members": drafts[-1]}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--repetitions", type=int, default=5)
    options = parser.parse_args()
    found: dict[str, list[float]] = defaultdict(list)
    with httpx.Client(base_url=options.url, timeout=300, trust_env=False) as client:
        model = client.get("/readyz").json()["engines"][0]["model"]
        for number in range(options.repetitions):
            for measure in (chat, discharge, differential):
                for name, seconds in measure(client, number).items():
                    found[name].append(seconds)
    medians = {name: round(statistics.median(values), 2) for name, values in found.items()}
    worst = {name: round(max(values), 2) for name, values in found.items()}
    line = {"bench": "latency", "seconds (median)": medians, "seconds (worst)": worst}
    line |= {"repetitions": options.repetitions, "model": model}
    print(json.dumps(line | describe(), ensure_ascii=False))


if __name__ == "__main__":
    main()
