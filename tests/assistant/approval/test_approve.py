"""From a recorded run to an approval, and what ends it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from approval_sample import MODEL, write_model, write_run
from starlette.testclient import TestClient

import prompts
from assistant.application import build_app
from assistant.approval.approve import ApprovalRefused, approve, find_engine
from assistant.approval.evidence import Evidence, read_evidence
from assistant.approval.gate import parse_gate
from assistant.approval.model_files import folder_digest
from assistant.approval.status import ApprovalStatus
from assistant.engine_settings import EngineSettings
from assistant.engines import Engines
from assistant.opening import open_store
from assistant.settings import PanelMember, Settings
from assistant.store import Approval, Context, Store
from assistant.store.identifier import new_id
from assistant.store.models.approval import ApprovalRow
from assistant.tasks.discharge.plan import PLANS
from eval.clinical.result import ClinicalResult, Figure
from eval.errors import EvalError
from serving.engines.echo import EchoEngine

DDX = "/v1/differential-diagnoses"
GATE = parse_gate("overall>=60")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path)


@pytest.fixture
def settings(tmp_path: Path, model: Path, knowledge_folder: Path) -> Settings:
    (tmp_path / "knowledge").symlink_to(knowledge_folder)
    return Settings(
        home=tmp_path,
        engines={"ward": EngineSettings(model=MODEL), "demo": EngineSettings(kind="echo")},
        panel=[PanelMember(name="甲", engine="ward"), PanelMember(name="乙", engine="demo")],
        default_engine="ward",
        encoder="hashing",
    )


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    store = open_store(settings)
    yield store
    store.close()


@pytest.fixture
def run(tmp_path: Path, model: Path) -> Path:
    return write_run(tmp_path / "evaluations" / "glm-1", model)


def give(settings: Settings, store: Store, run: Path, engine: str = "ward") -> Approval:
    evidence = read_evidence(run)
    return approve(settings, store, engine, evidence, [GATE], by="王主任")


async def status(settings: Settings, store: Store) -> ApprovalStatus:
    found = ApprovalStatus(settings, store, Engines(settings))
    await found.refresh()
    return found


def test_the_scores_are_made_anew_from_the_answers(run: Path, model: Path) -> None:
    evidence = read_evidence(run)
    assert evidence.scores["overall"] == pytest.approx(100, abs=1e-6)
    assert evidence.scores["MedDG"] == pytest.approx(100, abs=1e-6)
    assert (evidence.problem, evidence.kind, evidence.name) == ("", "ccks2023", "glm-1")
    assert evidence.hashes["model files"] == folder_digest(model)
    answers = run / "predictions.jsonl"
    lines = [json.loads(line) | {"target": ""} for line in answers.read_text("utf-8").splitlines()]
    answers.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    assert read_evidence(run).scores["overall"] < 60


async def test_an_approval_holds_for_what_runs(settings: Settings, store: Store, run: Path) -> None:
    assert not (await status(settings, store)).approved("ward")
    given = give(settings, store, run)
    assert given.gate == "overall>=60"
    assert given.evidence["hashes"]["data"]
    found = await status(settings, store)
    assert found.approved("ward")
    assert not found.approved("demo")
    assert found.engines_of(given.id) == ["ward"]
    assert found.runs() == {str(run.resolve()): "王主任"}


async def test_revoking_ends_it(settings: Settings, store: Store, run: Path) -> None:
    given = give(settings, store, run)
    found = await status(settings, store)
    store.approvals.revoke(given.id, by="李药师", reason="复评未达标")
    await found.refresh()
    assert not found.approved("ward")
    assert found.runs() == {}


async def test_other_weights_end_it(
    settings: Settings, store: Store, run: Path, model: Path
) -> None:
    give(settings, store, run)
    found = await status(settings, store)
    (model / "openvino_model.bin").write_text("other weights", "utf-8")
    await found.refresh()
    assert not found.approved("ward")


@pytest.mark.parametrize(
    "change",
    [
        {"precision": "f32"},
        {"kv_cache": "bf16"},
        {"demo_only": True},
        {"enable_thinking": True},
        {"chat_template_kwargs": {"language": "en"}},
        {"default_max_tokens": 64},
        {"context_length": 512},
    ],
)
async def test_other_numbers_or_options_end_it(
    settings: Settings, store: Store, run: Path, change: dict[str, Any]
) -> None:
    give(settings, store, run)
    engines = {**settings.engines, "ward": EngineSettings(model=MODEL, **change)}
    changed = settings.model_copy(update={"engines": engines})
    assert not (await status(changed, store)).approved("ward")


async def test_what_is_no_part_of_an_answer_does_not_end_it(
    settings: Settings, store: Store, run: Path
) -> None:
    give(settings, store, run)
    other = EngineSettings(model=MODEL, cache_gib=8, max_concurrent=2, threads=3, cores="all")
    changed = settings.model_copy(update={"engines": {**settings.engines, "ward": other}})
    assert (await status(changed, store)).approved("ward")


def without_options(store: Store, given: Approval) -> str:
    """The same approval as it was kept before options were: its id."""
    later = {"id", "options", "steps", "revoked_by", "revocation_reason", "revoked_at"}
    names = [one.name for one in fields(Approval) if one.name not in later]
    values = {name: getattr(given, name) for name in names}
    old = ApprovalRow(id=new_id(), **values)
    context = Context.operator(given.approved_by, "approver")
    bound = values | {"created_at": given.created_at.isoformat()}
    with store.database.write() as session:
        session.add(old)
        store.audit.append(session, context, "approval.approve", "approval", old.id, bound)
        return old.id


async def test_an_approval_from_before_options_were_kept_must_be_given_again(
    settings: Settings, store: Store, run: Path
) -> None:
    given = give(settings, store, run)
    old = without_options(store, given)
    store.approvals.revoke(given.id, by="李药师", reason="只留旧的")
    found = await status(settings, store)
    assert not found.approved("ward")
    (kept,) = store.approvals.in_force()
    assert (kept.id, kept.approved_by, kept.scores) == (old, "王主任", given.scores)
    assert "重新批准" in kept.problem
    again = give(settings, store, run)
    await found.refresh()
    assert (found.engines_of(again.id), again.problem) == (["ward"], "")
    store.approvals.revoke(old, by="李药师", reason="已重新批准")
    assert store.audit.verify().ok


async def test_another_prompt_ends_it(
    settings: Settings, store: Store, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(settings, store, run)
    evidence = prompts.template("differential_diagnosis", "evidence").version
    section = prompts.template("discharge_record", "section").version
    found = await status(settings, store)
    assert found.approved("ward", evidence)
    assert found.approved("ward", section)

    seats = [PanelMember(name="甲", engine="ward", prompt="open")]
    found = await status(settings.model_copy(update={"panel": seats}), store)
    assert not found.approved("ward")
    assert not found.approved("ward", prompts.template("differential_diagnosis", "open").version)
    assert found.approved("ward", section)

    real = prompts.fingerprint
    monkeypatch.setattr(
        prompts, "fingerprint", lambda task, name: real(task, name)[:-1] + f"{task}"[0]
    )
    found = await status(settings, store)
    assert not found.approved("ward")
    assert not found.approved("ward", section)


async def test_other_words_about_a_section_end_it(
    settings: Settings, store: Store, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(settings, store, run)
    plan = PLANS["hospital_course"]
    changed = type(plan)(plan.kinds, plan.instead, plan.scopes, plan.guidance + "。", plan.limit)
    monkeypatch.setitem(PLANS, "hospital_course", changed)
    found = await status(settings, store)
    assert not found.approved("ward")
    assert not found.approved("ward", prompts.template("discharge_record", "section").version)
    assert found.approved("ward", prompts.template("chat", "cited").version)


def test_a_run_that_misses_the_gate_is_refused(
    settings: Settings, store: Store, model: Path, tmp_path: Path
) -> None:
    poor = write_run(tmp_path / "poor", model, answer=lambda prompt: "不知道")
    with pytest.raises(ApprovalRefused, match=r"overall \d.* is not >= 60"):
        give(settings, store, poor)
    assert store.approvals.list() == []


def test_a_run_that_is_not_complete_is_refused(settings: Settings, store: Store, run: Path) -> None:
    answers = run / "predictions.jsonl"
    answers.write_bytes(b"".join(answers.read_bytes().splitlines(keepends=True)[:-1]))
    with pytest.raises(ApprovalRefused, match=r"not complete: \d+ of \d+ samples"):
        give(settings, store, run)


def test_a_run_whose_samples_were_changed_is_refused(
    settings: Settings, store: Store, run: Path
) -> None:
    samples = run / "samples.jsonl"
    samples.write_text(samples.read_text("utf-8").replace("，", "、", 1), "utf-8")
    with pytest.raises(ApprovalRefused, match="changed after it was made"):
        give(settings, store, run)


def test_a_run_of_another_model_says_what_differs(
    settings: Settings, store: Store, tmp_path: Path, model: Path
) -> None:
    other = write_model(tmp_path / "elsewhere")
    (other / "openvino_model.bin").write_text("other weights", "utf-8")
    wrong = write_run(tmp_path / "wrong", other, precision="f32", kv_cache="f32")
    with pytest.raises(ApprovalRefused) as caught:
        give(settings, store, wrong)
    for what in ("files_sha256", folder_digest(other), folder_digest(model), "precision", "kv_c"):
        assert what in str(caught.value)


def test_an_engine_without_weights_here_is_refused(
    settings: Settings, store: Store, run: Path
) -> None:
    with pytest.raises(ApprovalRefused, match=r"demo cannot be approved: .*no weights"):
        give(settings, store, run, "demo")


def test_an_engine_set_to_demo_is_refused(settings: Settings, store: Store, run: Path) -> None:
    engines = {"ward": EngineSettings(model=MODEL, demo_only=True)}
    with pytest.raises(ApprovalRefused, match="demo_only"):
        give(settings.model_copy(update={"engines": engines}), store, run)


@pytest.mark.parametrize(("gates", "by"), [([], "王主任"), ([GATE], " ")])
def test_a_gate_and_a_name_are_needed(
    settings: Settings, store: Store, run: Path, gates: list[Any], by: str
) -> None:
    with pytest.raises(ApprovalRefused, match="needs"):
        approve(settings, store, "ward", read_evidence(run), gates, by=by)


def clinical(folder: Path, model: Path, run: Path, **changes: Any) -> Evidence:
    identity = json.loads((run / "run.json").read_text("utf-8"))["model"]
    result = ClinicalResult(
        kind="differential",
        title="鉴别诊断 Differential diagnosis",
        headline=Figure(name="top-1", value=71.0, low=60.0, high=80.0, n=120),
        scores={"top-1": 71.0},
        figures=[],
        model=identity,
        **changes,
    )
    result.save(folder)
    return read_evidence(folder)


async def test_a_clinical_result_carries_an_approval_too(
    settings: Settings, store: Store, model: Path, run: Path, tmp_path: Path
) -> None:
    version = prompts.template("differential_diagnosis", "evidence").version
    found = clinical(tmp_path / "ddx-1", model, run, hashes={"prompts": version})
    assert (found.kind, found.prompts) == ("differential", [version])
    gate = parse_gate("top-1>=70")
    given = approve(settings, store, "ward", found, [gate], by="王主任", note="药事会")
    assert given.scores == {"top-1": 71.0}
    engines = Engines(settings)
    await ApprovalStatus(settings, store, engines).refresh()
    assert engines.slots["ward"].scores == {"differential": {"top-1": 71.0}}
    assert engines.slots["demo"].scores == {}
    old = found.model_copy(update={"prompts": ["differential_diagnosis/evidence@00000000"]})
    with pytest.raises(ApprovalRefused, match=r"evidence@00000000, which this engine is not"):
        approve(settings, store, "ward", old, [gate], by="王主任")


def test_a_folder_without_a_run_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(EvalError, match="holds no run"):
        read_evidence(tmp_path)


def test_an_engine_is_found_by_its_model_where_that_is_clear(settings: Settings) -> None:
    assert find_engine(settings, "ward") == find_engine(settings, MODEL) == "ward"
    engines = {**settings.engines, "ward2": EngineSettings(model=MODEL)}
    with pytest.raises(ApprovalRefused, match="ward, ward2"):
        find_engine(settings.model_copy(update={"engines": engines}), MODEL)
    with pytest.raises(ApprovalRefused, match="demo, ward"):
        find_engine(settings, "glm")


@pytest.fixture
def client(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setattr(
        Engines, "load", lambda self, chosen, number=0: EchoEngine(name=chosen.model)
    )
    app = build_app(settings, with_ui=False)
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as opened:
        yield opened


def members(client: TestClient, case: dict[str, Any]) -> dict[str, tuple[bool, bool]]:
    drafts = client.post(DDX, params={"wait": True}, json=case).json()["drafts"]
    return {d["member"]: (d["approved"], d["demo_only"]) for d in drafts}


def test_drafts_and_readiness_say_what_is_approved(
    client: TestClient, case: dict[str, Any], settings: Settings, store: Store, run: Path
) -> None:
    assert members(client, case)["甲"] == (False, True)
    given = give(settings, store, run)
    # The ranking of the knowledge base is no model's, and needs no approval.
    assert members(client, case) == {
        "甲": (True, False),
        "乙": (False, True),
        "知识库排序": (False, False),
    }
    engines = {e["name"]: e for e in client.get("/readyz").json()["engines"]}
    assert (engines["ward"]["approved"], engines["ward"]["demo_only"]) == (True, False)
    assert (engines["demo"]["approved"], engines["demo"]["demo_only"]) == (False, True)
    (listed,) = client.get("/v1/approvals").json()
    assert (listed["approved_by"], listed["holds_for"]) == ("王主任", ["ward"])
    assert listed["run"] == "glm-1"
    assert str(settings.home) not in json.dumps(listed)
    store.approvals.revoke(given.id, by="李药师", reason="复评未达标")
    assert members(client, case)["甲"] == (False, True)
    (listed,) = client.get("/v1/approvals").json()
    assert (listed["revoked_by"], listed["holds_for"]) == ("李药师", [])


def test_weights_that_change_under_a_running_model_end_its_approval(
    client: TestClient, case: dict[str, Any], settings: Settings, store: Store, run: Path
) -> None:
    give(settings, store, run)
    assert members(client, case)["甲"] == (True, False)
    weights = settings.home / "models" / MODEL / "openvino_model.bin"
    kept = weights.read_bytes()
    weights.write_bytes(b"other weights")
    assert members(client, case)["甲"] == (False, True)
    # What lies there is the approved model again, but nobody knows what the engine has loaded.
    weights.write_bytes(kept)
    assert members(client, case)["甲"] == (False, True)
