"""A task in a package of its own gets everything, with no edit elsewhere."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import pytest
import warm_process
from approval_sample import MODEL, write_model, write_run
from browser_visit import ARGUMENTS, Server, chromium
from jsonschema import Draft202012Validator
from playwright.sync_api import expect, sync_playwright
from starlette.testclient import TestClient
from toy_package import POINT, installed_beside

from assistant.application import build_app
from assistant.approval.approve import approve
from assistant.approval.evidence import read_evidence
from assistant.approval.gate import parse_gate
from assistant.commands.doctor import examine
from assistant.engine_settings import EngineSettings
from assistant.engines import Engines
from assistant.settings import Settings
from assistant.store import Context
from assistant.ui.frame import Frame, TaskPage
from assistant.ui.page import build, task_pages
from assistant.work.registry import GROUP, Registry, installed
from assistant.work.task import Title
from serving.engines.echo import EchoEngine

PATH = "/v1/greetings"
LETTER = {"patient_id": "pat-1", "encounter_id": "enc-1", "text": "张三，请来复诊"}
PATIENT = {"X-Patient-Id": "pat-1", "X-Encounter-Id": "enc-1"}
MISSING = EntryPoint("gone", "toy_task.nowhere:Task", GROUP)
NO_TASK = EntryPoint("other", "toy_task.task:Letter", GROUP)
TWICE = EntryPoint("twice", "toy_task.task:Toy", GROUP)
LARGE = ("fastapi", "faiss", "gradio", "langchain_core", "numpy", "openvino", "sqlalchemy", "typer")


@pytest.fixture(scope="module")
def tasks() -> Registry:
    return Registry.of([*entry_points(group=GROUP), POINT, MISSING, NO_TASK, TWICE])


@pytest.fixture
def client(settings: Settings, tasks: Registry) -> Iterator[TestClient]:
    app = build_app(settings, with_ui=False, tasks=tasks)
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as opened:
        yield opened


def ask(client: TestClient, **more: Any) -> dict[str, Any]:
    answer = client.post(PATH, params={"wait": True}, json=LETTER, **more)
    assert answer.status_code == 200
    job: dict[str, Any] = answer.json()
    return job


def test_our_own_tasks_are_entry_points_like_any_others() -> None:
    assert [task.kind for task in installed()] == [
        "differential_diagnosis",
        "discharge_record",
        "omission_check",
        "patient_version",
        "structured_notes",
        "record_qa",
        "bill",
        "chat",
        "record_qc",
        "radiomics",
        "radiomics_cohort",
        "segmentation",
        "detection",
        "perfusion",
        "classification",
    ]


def test_naming_the_tasks_opens_nothing_large() -> None:
    """The command line and the registry need their names only."""
    code = "import sys; from assistant.work.registry import installed; installed()\n"
    code += f"print(sorted(set({LARGE}) & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_it_stands_behind_ours_and_what_is_broken_is_named(
    tasks: Registry, settings: Settings
) -> None:
    assert [task.kind for task in tasks] == [*(task.kind for task in installed()), "toy"]
    assert {broken.name for broken in tasks.broken} == {"gone", "other", "twice"}
    (check,) = (c for c in examine(settings, tasks) if c.name == "tasks")
    assert "toy" in check.value
    assert "gone" in check.advice
    assert "toy_task.nowhere:Task" in check.advice


def test_a_broken_entry_point_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        assert list(Registry.of([MISSING])) == []
    assert "gone (toy_task.nowhere:Task)" in caplog.text


def test_the_job_gives_its_drafts_and_what_comes_at_once(client: TestClient) -> None:
    job = ask(client)
    assert (job["kind"], job["status"]) == ("toy", "finished")
    first, second = job["drafts"]
    assert first["statements"][0]["text"] == "共7字。"
    assert (second["part"], second["model"]) == ("greeting", "echo")
    assert (second["approved"], second["demo_only"]) == (False, True)
    found = client.get(f"{PATH}/{job['id']}", headers=PATIENT).json()
    assert [d["id"] for d in found["drafts"]] == [first["id"], second["id"]]
    assert client.get(f"/v1/answers/{job['id']}", headers=PATIENT).status_code == 404


def test_its_events_are_told(client: TestClient) -> None:
    accepted = client.post(PATH, json=LETTER)
    assert accepted.status_code == 202
    told = client.get(accepted.json()["links"]["events"], headers=PATIENT).text
    names = [line[7:] for line in told.splitlines() if line.startswith("event: ")]
    assert {"counted", "delta", "draft"} <= set(names)
    assert (names.count("counted"), names.count("draft")) == (1, 2)
    assert names[-1] == "finished"


def test_the_schema_names_its_request_drafts_and_events(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    parts = document["components"]["schemas"]
    body = document["paths"][PATH]["post"]["requestBody"]["content"]["application/json"]
    assert body["schema"]["$ref"].endswith("/Letter")
    assert body["examples"]
    job = document["paths"][f"{PATH}/{{job_id}}"]["get"]["responses"]["200"]["content"]
    name = job["application/json"]["schema"]["$ref"].rsplit("/", 1)[-1]
    assert "GreetingShown" in json.dumps(parts[name])
    drafts = document["paths"]["/v1/drafts/{draft_id}"]["get"]["responses"]["200"]["content"]
    named = json.dumps(drafts)
    for draft in ("DifferentialDraft", "SectionDraft", "Answer", "StructuredNotes", "Greeting"):
        assert f"{draft}Shown" in named
    (told_apart,) = [
        s["discriminator"]["mapping"]
        for s in drafts["application/json"]["schema"]["anyOf"]
        if "discriminator" in s
    ]
    assert told_apart["toy_greeting"].endswith("/GreetingShown")
    stream = document["paths"][f"{PATH}/{{job_id}}/events"]["get"]["responses"]["200"]["content"]
    events = json.dumps(stream["text/event-stream"])
    for event in ("Counted", "Delta", "Waiting", "GreetingEvent", "Finished"):
        assert f"/{event}" in events
    # What is given is what the document says.
    schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    Draft202012Validator(schema).validate(ask(client))


def test_idempotency(client: TestClient) -> None:
    key = {"Idempotency-Key": "k-1"}
    assert ask(client, headers=key)["id"] == ask(client, headers=key)["id"]
    other = client.post(PATH, json=LETTER | {"text": "别的"}, headers=key)
    assert other.status_code == 409


def test_bad_and_foreign_requests_are_refused(client: TestClient) -> None:
    assert client.post(PATH, json={"text": ""}).status_code == 422
    header = {"X-Patient-Id": "pat-9"}
    assert client.post(PATH, json=LETTER, headers=header).status_code == 409
    assert client.post(PATH, json=LETTER, headers={"X-Actor-Role": "auditor"}).status_code == 403
    job = ask(client)
    assert client.get(f"{PATH}/{job['id']}", headers=header).status_code == 404


def test_review_fill_in_and_signature(client: TestClient) -> None:
    greeting = ask(client)["drafts"][1]
    place = f"/v1/drafts/{greeting['id']}"
    assert client.post(f"{place}/fill-in", headers=PATIENT).status_code == 409
    nurse = PATIENT | {"X-Actor-Role": "nurse"}
    assert client.post(f"{place}/fill-in", headers=nurse).status_code == 403
    body = {"statement_id": "g-1", "action": "edited", "text": "您好，请来复诊。"}
    assert client.post(f"{place}/resolutions", headers=PATIENT, json=body).json() == {"open": []}
    filled = client.post(f"{place}/fill-in", headers=PATIENT).json()
    assert filled["text"] == "您好，请来复诊。"
    signed = client.post(f"{place}/signature", headers=PATIENT, json={"text": "您好！"}).json()
    assert signed["kind"] == "toy_greeting"
    assert signed["edit_distance"] > 0


def test_a_changed_letter_makes_older_drafts_stale(client: TestClient) -> None:
    first = ask(client)["drafts"][0]
    client.post(PATH, params={"wait": True}, json=LETTER | {"text": "改了"})
    assert client.get(f"/v1/drafts/{first['id']}", headers=PATIENT).json()["stale"] is True


def test_feedback_audit_and_purge(client: TestClient) -> None:
    draft = ask(client)["drafts"][1]
    body = {"draft_id": draft["id"], "verdict": "like"}
    assert client.post("/v1/feedback", headers=PATIENT, json=body).status_code == 201
    summary = client.get("/v1/feedback/summary").json()
    assert [(s["kind"], s["likes"]) for s in summary if s["likes"]] == [("toy", 1)]
    rows = client.get("/v1/audit", headers={"X-Actor-Role": "auditor"}).json()
    assert {"request.submit", "draft.add", "feedback.add"} <= {r["action"] for r in rows}
    assert "张三" not in json.dumps(rows, ensure_ascii=False)
    store = client.app.state.services.store  # type: ignore[attr-defined]
    counts = store.purge_patient("pat-1", Context.operator("admin"))
    assert (counts.requests, counts.drafts) == (1, 2)
    assert client.get("/v1/drafts", headers=PATIENT).json() == []


def test_it_is_listed_as_a_tool(client: TestClient) -> None:
    (listed,) = (t for t in client.get("/v1/tasks").json() if t["kind"] == "toy")
    assert listed["path"] == PATH
    assert listed["tool"]["function"]["parameters"]["required"] == ["patient_id", "text"]


def test_its_drafts_stay_readable_when_it_is_gone(client: TestClient, settings: Settings) -> None:
    ask(client)
    app = build_app(settings, with_ui=False)
    with TestClient(app, base_url="http://127.0.0.1") as without:
        kept = without.get("/v1/drafts", headers=PATIENT).json()
        assert [draft["kind"] for draft in kept] == ["toy_greeting"] * 2
        assert kept[0]["statements"]
        fill = without.post(f"/v1/drafts/{kept[0]['id']}/fill-in", headers=PATIENT)
        assert fill.status_code == 422


def test_its_prompt_is_approved_and_a_changed_one_is_not(
    tmp_path: Path,
    knowledge_folder: Path,
    tasks: Registry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Engines, "load", lambda self, chosen, n=0: EchoEngine(name=chosen.model))
    (tmp_path / "knowledge").symlink_to(knowledge_folder)
    ward = {"ward": EngineSettings(model=MODEL)}
    settings = Settings(home=tmp_path, engines=ward, encoder="hashing")
    run = write_run(tmp_path / "run", write_model(tmp_path))
    app = build_app(settings, with_ui=False, tasks=tasks)
    with TestClient(app, base_url="http://127.0.0.1") as client:
        assert ask(client)["drafts"][1]["approved"] is False
        store = client.app.state.services.store  # type: ignore[attr-defined]
        gates = [parse_gate("overall>=60")]
        given = approve(
            settings, store, "ward", read_evidence(run), gates, by="王主任", tasks=tasks
        )
        assert given.prompts["toy/plain"]
        assert ask(client)["drafts"][1]["approved"] is True
        monkeypatch.setattr("toy_task.task.DIGEST", "0" * 64)
        assert ask(client)["drafts"][1]["approved"] is False


def test_it_has_a_command(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("您好", "utf-8")
    settings = {
        "BEDSIDE_HOME": str(tmp_path),
        "BEDSIDE_ENCODER": "hashing",
        "BEDSIDE_ENGINES": json.dumps({"demo": {"kind": "echo"}}),
    }
    environment = {**os.environ, **installed_beside(tmp_path / "site"), **settings}
    run = warm_process.bedside(environment, "greet", tmp_path / "letter.txt")
    assert run.returncode == 0, run.stderr[-2000:]
    assert "共2字。" in run.stderr
    assert "无依据" in run.stderr


@pytest.mark.browser
def test_it_has_a_page(page_server: Server) -> None:
    with ThreadPoolExecutor(1) as pool:
        # The other browser tests keep an event loop in this thread.
        pool.submit(_greet_in_the_browser, chromium(), page_server.address).result()


def _greet_in_the_browser(path: str, address: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        page = browser.new_page()
        page.goto(address)
        page.get_by_role("tab", name="问候信").click()
        page.fill("#toy-text textarea, #toy-text input", "请来复诊")
        page.click("#toy-run")
        card = page.locator("#toy-card")
        expect(card).to_contain_text("共4字。")
        expect(card.locator(".statement.unsupported")).to_contain_text("请来复诊")
        card.get_by_role("button", name="确认").click()
        card.get_by_role("button", name="一键回填").click()
        expect(card.get_by_label("回填文本")).to_have_value(re.compile("请来复诊"))
        browser.close()


def test_a_page_that_cannot_be_laid_out_leaves_the_others(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(frame: Frame) -> None:
        raise RuntimeError("no layout")

    pages = [(Title("坏页", "Broken"), TaskPage("broken", broken))]
    app: Any = client.app
    blocks = build(app.state.services, [*pages, *task_pages(Registry.of([POINT]))])
    drawn = json.dumps(blocks.config, ensure_ascii=False, default=str)
    assert "toy-run" in drawn
    assert "broken cannot be laid out" in caplog.text
