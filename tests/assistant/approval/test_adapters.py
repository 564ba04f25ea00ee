"""An adapter of an engine is an engine of its own: asked, assigned and approved by itself."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from approval_sample import MODEL, write_model, write_run
from pydantic import ValidationError
from starlette.testclient import TestClient

from assistant.application import build_app
from assistant.approval.approve import ApprovalRefused, approve
from assistant.approval.evidence import read_evidence
from assistant.approval.fingerprint import prompts_in_use
from assistant.approval.gate import parse_gate
from assistant.approval.model_files import digest_of, model_folders
from assistant.engine_settings import EngineSettings
from assistant.engines import Engines
from assistant.settings import Assignment, Settings
from assistant.work.assignment import assigned, department_of
from serving.engine import ModelCard, Sampling
from serving.engines.echo import EchoEngine
from serving.models.adapters import DESCRIPTION, WEIGHTS, AdapterFacts

ADAPTED = "ward:discharge"


class Recording(EchoEngine):
    """Remembers with which adapter it was asked."""

    asked: ClassVar[list[str]] = []

    @property
    def card(self) -> ModelCard:
        return replace(super().card, name=MODEL, adapters=("discharge",))

    def generate(self, prompt: Any, sampling: Sampling | None = None, schema: Any = None) -> Any:
        self.asked.append((sampling or Sampling()).adapter)
        return super().generate(prompt, sampling, schema)


def write_adapter(home: Path, name: str = "discharge") -> Path:
    folder = home / "adapters" / MODEL / name
    folder.mkdir(parents=True)
    (folder / WEIGHTS).write_bytes(b"halves")
    told = AdapterFacts(name, MODEL, "0" * 64, 8, 4, 6, "1" * 64, "tuned")
    (folder / DESCRIPTION).write_text(json.dumps(asdict(told)))
    return folder


@pytest.fixture(scope="module")
def opened(
    tmp_path_factory: pytest.TempPathFactory, knowledge_folder: Path, empty_database: Path
) -> Iterator[TestClient]:
    home = tmp_path_factory.mktemp("home")
    shutil.copy(empty_database, home)
    (home / "knowledge").symlink_to(knowledge_folder)
    write_model(home)
    write_adapter(home)
    settings = Settings(
        home=home,
        engines={"ward": EngineSettings(model=MODEL, adapters=["discharge"])},
        assignments=[
            Assignment(engine=ADAPTED, task="discharge_record", department="呼吸内科"),
            Assignment(engine="ward", task="discharge_record"),
        ],
        encoder="hashing",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Engines, "load", lambda self, chosen, number=0: Recording())
        app = build_app(settings, with_ui=False)
        with TestClient(app, base_url="http://127.0.0.1") as client:
            yield client


def test_the_api_lists_it_and_asks_with_it(opened: TestClient) -> None:
    listed = [model["id"] for model in opened.get("/v1/models").json()["data"]]
    assert listed == ["ward", ADAPTED]
    body = {"messages": [{"role": "user", "content": "你好"}], "max_tokens": 4}
    Recording.asked.clear()
    for model in (ADAPTED, "ward", ADAPTED):
        answer = opened.post("/v1/chat/completions", json=body | {"model": model})
        assert answer.status_code == 200
        assert answer.json()["model"] == model
    assert Recording.asked == ["discharge", "", "discharge"]
    missing = opened.post("/v1/chat/completions", json=body | {"model": "ward:other"})
    assert missing.status_code == 404
    ready = {one["name"]: one for one in opened.get("/readyz").json()["engines"]}
    assert ready[ADAPTED]["model"] == f"{MODEL}:discharge"
    assert ready[ADAPTED]["state"] == "ready"


def test_a_department_has_its_own(opened: TestClient, encounter: dict[str, Any]) -> None:
    def wrote(department: str) -> tuple[set[str], set[str]]:
        Recording.asked.clear()
        body = {"encounter": encounter | {"department": department}}
        job = opened.post("/v1/discharge-records", params={"wait": True}, json=body).json()
        return {d["model"] for d in job["drafts"] if d["model"]}, set(Recording.asked)

    assert wrote("呼吸内科") == ({f"{MODEL}:discharge"}, {"discharge"})
    assert wrote("骨科") == ({MODEL}, {""})


def test_an_approval_covers_base_and_adapter(opened: TestClient, tmp_path: Path) -> None:
    parts = opened.app.state.services  # type: ignore[attr-defined]
    settings: Settings = parts.settings
    base, adapter = model_folders(settings.engines[ADAPTED], settings.home)
    evidence = read_evidence(write_run(tmp_path / "run", base))
    gate = [parse_gate("overall>=60")]
    with pytest.raises(ApprovalRefused, match="files_sha256"):
        approve(settings, parts.store, ADAPTED, evidence, gate, by="王主任")
    run_settings = evidence.model["settings"] | {"files_sha256": digest_of([base, adapter])}
    evidence = evidence.model_copy(
        update={"model": evidence.model | {"settings": run_settings}, "prompts": []}
    )
    with pytest.raises(ApprovalRefused, match="files_sha256"):
        approve(settings, parts.store, "ward", evidence, gate, by="王主任")
    given = approve(settings, parts.store, ADAPTED, evidence, gate, by="王主任")
    assert given.model == f"{MODEL}:discharge"
    assert any(name.startswith("discharge") for name in given.prompts)

    def approved() -> dict[str, bool]:
        engines = opened.get("/readyz").json()["engines"]
        return {one["name"]: one["approved"] for one in engines}

    assert approved() == {"ward": False, ADAPTED: True}
    (adapter / WEIGHTS).write_bytes(b"other halves")
    assert approved() == {"ward": False, ADAPTED: False}


def test_the_first_assignment_that_fits_holds() -> None:
    settings = Settings(
        engines={"a": EngineSettings(adapters=["x"]), "b": EngineSettings(kind="echo")},
        default_engine="a",
        assignments=[
            Assignment(engine="b", department="骨科"),
            Assignment(engine="a:x", task="chat"),
        ],
    )
    chosen = [
        assigned(settings, kind, department).default_engine
        for kind, department in (("chat", "骨科"), ("chat", ""), ("discharge_record", "内科"))
    ]
    assert chosen == ["b", "a:x", "a"]
    assert department_of({"encounter": {"department": "骨科"}}) == "骨科"
    assert department_of({"department": "内科", "encounter": None}) == "内科"
    given = prompts_in_use(settings, "a:x")
    assert given.keys() == {name for name in prompts_in_use(settings, "a") if "chat" in name}


@pytest.mark.parametrize(
    ("engines", "told"),
    [
        ({"a:x": EngineSettings(model="m")}, "write the adapter's name"),
        ({"a": EngineSettings(model="m", adapter="x")}, "write the adapter's name"),
    ],
)
def test_what_is_written_by_hand_is_refused(engines: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Settings(engines=engines)
    with pytest.raises(ValidationError, match="not for an engine of kind"):
        EngineSettings(kind="echo", adapters=["x"])
    with pytest.raises(ValidationError, match="no engine named"):
        Settings(
            engines={"a": EngineSettings()}, assignments=[Assignment(engine="a:x", task="chat")]
        )
