"""评测: what it lists, what it serves, and to whom."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from approval_sample import SAMPLES, write_model, write_run
from fastapi import FastAPI, HTTPException
from starlette.testclient import TestClient

from eval.clinical.result import Case, ClinicalResult, Figure
from eval.evidence import read_run
from eval.page.page import EvaluationPage
from eval.page.strings import STRINGS
from eval.recorded import Library, new_folder

NASTY = "<script>alert(1)</script>"
BASE = "pages/evaluation"


class Host:
    """Stands in for the program that mounts the page."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.role = "doctor"
        self.runs: dict[str, str] = {}

    def anyone(self) -> str:
        if not self.role:
            raise HTTPException(401)
        return self.role

    def clinician(self) -> str:
        if self.anyone() != "doctor":
            raise HTTPException(403)
        return self.role

    def approved_runs(self) -> Mapping[str, str]:
        return self.runs


def clinical(folder: Path) -> Path:
    ClinicalResult(
        kind="differential",
        title="鉴别诊断 Differential diagnosis",
        headline=Figure(name="top-1", value=71.0, low=60.0, high=80.0, n=120),
        scores={"top-1": 71.0},
        figures=[],
        cases=[Case(id="c1", given=NASTY, expected="肺炎", answer="支气管炎")],
        model={"name": "ward-model"},
    ).save(folder)
    return folder


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    model = write_model(tmp_path)
    folder = tmp_path / "evaluations"
    write_run(folder / "good-1", model)
    write_run(folder / "poor-1", model, answer=lambda prompt: NASTY)
    clinical(folder / "ddx-1")
    return folder


@pytest.fixture
def page() -> EvaluationPage:
    return EvaluationPage()


@pytest.fixture
def client(host: Host, page: EvaluationPage, runs: Path) -> Iterator[TestClient]:
    app = FastAPI()
    app.include_router(page.router(host), prefix=f"/{BASE}")
    with TestClient(app) as opened:
        yield opened


def listed(page: EvaluationPage, host: Host, language: str = "zh", **more: Any) -> str:
    return page.draw(host, BASE, language, **({"clinical": True} | more))[0]


def test_without_runs_it_says_how_to_start_one(page: EvaluationPage, host: Host) -> None:
    drawn, below, busy = page.draw(host, BASE, "zh", clinical=True)
    assert "bedside eval run" in drawn
    assert "还没有评测记录" in drawn
    assert (below.strip(), busy) == ("", False)
    assert "There are no runs yet" in listed(page, host, "en")


def test_runs_are_listed_with_score_interval_and_state(
    page: EvaluationPage, host: Host, runs: Path
) -> None:
    drawn = listed(page, host)
    for said in ("good-1", "poor-1", "ddx-1", "ward-model", "PromptCBLUE 16 任务", "鉴别诊断"):
        assert said in drawn
    assert "overall <b>100.00</b>" in drawn
    assert "top-1 <b>71.00</b>%" in drawn
    assert "60.0–80.0" in drawn
    assert f"完整 n={len(SAMPLES)}" in drawn
    assert drawn.count(f'href="{BASE}/runs/good-1/report') == 4
    assert "complete n=" in listed(page, host, "en")


def test_who_may_not_see_records_gets_no_way_to_them(
    page: EvaluationPage, host: Host, runs: Path
) -> None:
    drawn = listed(page, host, clinical=False)
    assert "overall <b>100.00</b>" in drawn
    assert "href" not in drawn
    assert "仅临床角色可查看" in drawn


def test_the_run_that_an_approval_rests_on_is_marked(
    page: EvaluationPage, host: Host, runs: Path
) -> None:
    assert "已批准" not in listed(page, host)
    assert listed(page, host).count("仅供演示") == 3
    host.runs[str((runs / "good-1").resolve())] = "王主任<b>"
    drawn = listed(page, host)
    assert "已批准 王主任&lt;b&gt;" in drawn
    assert drawn.count("仅供演示") == 2


def test_a_run_under_way_shows_how_far_it_is(page: EvaluationPage, host: Host, runs: Path) -> None:
    answers = runs / "good-1" / "predictions.jsonl"
    lines = answers.read_bytes().splitlines(keepends=True)
    answers.write_bytes(b"".join(lines[:7]))
    assert f"7/{len(SAMPLES)}" in listed(page, host)
    lock = os.open(runs / "good-1" / ".lock", os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)
    drawn, _, busy = page.draw(host, BASE, "zh", clinical=True)
    assert busy
    assert f"进行中 7/{len(SAMPLES)}" in drawn
    assert "overall <b>100.00</b>" not in drawn
    answers.write_bytes(b"".join(lines[:9]))
    assert f"进行中 9/{len(SAMPLES)}" in listed(page, host)
    os.close(lock)
    assert not page.draw(host, BASE, "zh", clinical=True)[2]


def test_a_clinical_evaluation_shows_how_far_it_is(
    page: EvaluationPage, host: Host, runs: Path
) -> None:
    folder = runs / "discharge-1"
    folder.mkdir()
    told = {"format": 1, "kind": "discharge", "encounters": 4, "model": {"name": "glm"}}
    (folder / "discharge.json").write_text(json.dumps(told), "utf-8")
    rows = [{"sample_id": "e1", "drafts": []}, {"sample_id": "e2", "failed": "too long"}]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "drafts.jsonl").write_text(lines + '{"sample', "utf-8")
    drawn = listed(page, host)
    for said in ("discharge-1", "出院记录", "glm", "1/4", "1 无答案"):
        assert said in drawn
    assert "discharge-1/report" not in drawn
    (runs / "ddx-1" / "differential.json").write_text('{"format": 1, "model": {}}', "utf-8")
    assert "0/120" in listed(page, host)
    assert read_run(runs / "ddx-1")["problem"] == "0 of 120 cases are answered"


def test_failures_and_overlap_are_told(page: EvaluationPage, host: Host, runs: Path) -> None:
    answers = runs / "good-1" / "predictions.jsonl"
    rows = [json.loads(line) for line in answers.read_text("utf-8").splitlines()]
    rows[0] = {"sample_id": rows[0]["sample_id"], "failed": "failed: no answer"}
    answers.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    overlap = {"exact": 1, "overlapping": 3, "test_texts": 17}
    (runs / "good-1" / "overlap.json").write_text(json.dumps(overlap), "utf-8")
    drawn = listed(page, host)
    assert "1 无答案" in drawn
    assert f"{len(SAMPLES) - 1}/{len(SAMPLES)}" in drawn
    assert "与示例来源重合 3" in drawn


def test_a_run_that_cannot_be_read_says_so_and_holds_nothing_up(
    page: EvaluationPage, host: Host, runs: Path
) -> None:
    (runs / "good-1" / "run.json").write_text("{", "utf-8")
    (runs / "poor-1" / "run.json").write_text('{"format": 1}', "utf-8")
    drawn = listed(page, host)
    assert "cannot be read" in drawn
    assert "another version" in drawn
    assert "ddx-1" in drawn


@pytest.mark.parametrize("name", ["poor-1", "ddx-1"])
def test_a_report_runs_nothing_and_loads_nothing(client: TestClient, name: str) -> None:
    answer = client.get(f"/{BASE}/runs/{name}/report.html")
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    for part in ("default-src 'none'", "sandbox", "frame-ancestors 'self'"):
        assert part in policy
    assert "script-src" not in policy
    assert NASTY not in answer.text
    assert "&lt;script&gt;" in answer.text


@pytest.mark.parametrize("name", ["poor-1", "ddx-1"])
@pytest.mark.parametrize("suffix", ["html", "md", "json"])
def test_a_report_can_be_taken_away(client: TestClient, name: str, suffix: str) -> None:
    answer = client.get(f"/{BASE}/runs/{name}/report.{suffix}", params={"download": 1})
    assert answer.status_code == 200
    assert f"{name}.{suffix}" in answer.headers["content-disposition"]
    if suffix == "json":
        assert isinstance(answer.json(), dict)


@pytest.mark.parametrize(
    "path", ["none/report.html", "..%2F..%2Fmodels/report.html", ".lock/report.html"]
)
def test_only_runs_of_the_folder_are_served(client: TestClient, path: str) -> None:
    assert client.get(f"/{BASE}/runs/{path}").status_code == 404


def test_no_other_form_of_a_report_is_served(client: TestClient) -> None:
    assert client.get(f"/{BASE}/runs/good-1/report.exe").status_code == 404


def test_reports_are_for_clinical_roles_and_nothing_is_for_strangers(
    client: TestClient, host: Host
) -> None:
    report, comparison = (
        f"/{BASE}/runs/good-1/report.html",
        f"/{BASE}/comparison?a=poor-1&b=good-1",
    )
    host.role = "auditor"
    assert client.get(report).status_code == 403
    assert client.get(comparison).status_code == 200
    host.role = ""
    for path in (report, comparison, f"/{BASE}/hint"):
        assert client.get(path).status_code == 401


def test_two_runs_are_compared(client: TestClient) -> None:
    answer = client.get(f"/{BASE}/comparison", params={"a": "poor-1", "b": "good-1", "margin": 2})
    assert answer.status_code == 200
    assert "模型对比" in answer.text
    assert "<b>poor-1</b>" in answer.text
    assert "sandbox" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("a", "b", "said"), [("good-1", "none", "no such run"), ("good-1", "ddx-1", "holds no run")]
)
def test_what_cannot_be_compared_is_a_sentence(
    client: TestClient, a: str, b: str, said: str
) -> None:
    answer = client.get(f"/{BASE}/comparison", params={"a": a, "b": b})
    assert answer.status_code == 409
    assert said in answer.text


def test_runs_on_other_samples_are_not_compared(client: TestClient, tmp_path: Path) -> None:
    write_run(tmp_path / "evaluations" / "short", tmp_path / "models" / "ward-model", samples=5)
    answer = client.get(f"/{BASE}/comparison", params={"a": "good-1", "b": "short"})
    assert "not made on the same samples" in answer.text


def test_what_has_not_changed_is_not_read_again(runs: Path) -> None:
    library = Library(runs)
    first = library.get("good-1")
    assert library.get("good-1") is first
    answers = runs / "good-1" / "predictions.jsonl"
    answers.write_bytes(b"".join(answers.read_bytes().splitlines(keepends=True)[:3]))
    assert library.get("good-1").answered == 3


def test_every_string_is_in_both_languages() -> None:
    assert all(zh and en for zh, en in STRINGS.values())


def test_a_run_that_was_not_told_where_gets_a_folder_of_its_own(tmp_path: Path, runs: Path) -> None:
    name = "ccks2023-glm/4 9b"
    first = new_folder(tmp_path, name, "bedside eval run …")
    assert first == runs / "ccks2023-glm-4-9b-1"
    model = tmp_path / "models" / "ward-model"
    write_run(first, model)
    second = new_folder(tmp_path, name, "bedside eval run …")
    assert second.name == "ccks2023-glm-4-9b-2"
    (first / "submission.jsonl").unlink()
    assert new_folder(tmp_path, name, "bedside eval run …") == first
    assert new_folder(tmp_path, name, "bedside eval run --constrained").name == second.name
