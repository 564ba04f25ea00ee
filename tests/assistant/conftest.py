"""A whole application on the echo engine, the sample knowledge base and a fresh store."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import vision_models
from knowledge_sample import build_sample
from starlette.testclient import TestClient
from toy_package import installed_beside

from assistant.application import build_app
from assistant.engine_settings import EngineSettings
from assistant.settings import PanelMember, Settings
from assistant.store.database import Database
from knowledge.base import KnowledgeBase
from serving.encoder.text_encoder import HashingEncoder
from serving.vision.store import VisionStore

if TYPE_CHECKING:
    from browser_visit import Server

SAMPLES = Path(__file__).parent.parent.parent / "assistant" / "samples"


@pytest.fixture(scope="session")
def knowledge_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("knowledge")
    build_sample(folder).close()
    return folder


@pytest.fixture(scope="session")
def knowledge(knowledge_folder: Path) -> KnowledgeBase:
    return KnowledgeBase.open(knowledge_folder, HashingEncoder())


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of the newest schema to copy: migrating takes far longer."""
    path = tmp_path_factory.mktemp("database") / "bedside.db"
    Database.open(path).close()
    return path


@pytest.fixture(scope="session")
def page_server(
    tmp_path_factory: pytest.TempPathFactory, knowledge_folder: Path
) -> Iterator[Server]:
    """A server for the pages of tasks, with the toy task's package beside it, a model that finds
    structures, and an archive of one patient (pat-archive); each test has a patient of its own.
    Starting one takes long."""
    from browser_visit import chromium, start
    from dicomweb_server import Pacs, serving
    from imaging_samples import ball, segmentation, series, written

    chromium()
    kept = [*series(PatientID="pat-archive", StudyDate="20260302"), segmentation(ball())]
    kept[-1].PatientID, kept[-1].StudyDate = "pat-archive", "20260302"
    home = tmp_path_factory.mktemp("home")
    model = tmp_path_factory.mktemp("structures") / "model"
    folder = vision_models.write(model, vision_models.kernels(), size=None)
    VisionStore(home).add("toy", folder)
    site = tmp_path_factory.mktemp("site")
    with serving(Pacs([written(one) for one in kept]), _free_port()) as archive:
        settings = {"BEDSIDE_DICOMWEB": json.dumps({"pacs": {"url": archive.url}})}
        running = start(home, knowledge_folder, **installed_beside(site), **settings)
        yield running
        running.process.terminate()
        running.process.join(20)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.fixture
def settings(tmp_path: Path, knowledge_folder: Path, empty_database: Path) -> Settings:
    shutil.copy(empty_database, tmp_path)
    (tmp_path / "knowledge").symlink_to(knowledge_folder)
    return Settings(
        home=tmp_path,
        engines={"demo": EngineSettings(kind="echo", demo_only=True)},
        panel=[
            PanelMember(name="甲", engine="demo", prompt="evidence"),
            PanelMember(name="乙", engine="demo", prompt="open"),
        ],
        encoder="hashing",
    )


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    app = build_app(settings, with_ui=False)
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as opened:
        yield opened


@pytest.fixture
def case() -> dict[str, Any]:
    return {
        "patient": {
            "id": "pat-1",
            "name": "测试甲",
            "sex": "male",
            "age_text": "30岁",
            "age_years": 30,
        },
        "encounter_id": "enc-1",
        "chief_complaint": "发热、咳嗽3天",
        "present_illness": "3天前受凉后发热，体温最高39.2℃，咳嗽，咳黄痰，无胸痛、咯血。",
        "past_history": "否认高血压、糖尿病。",
        "examination": "右下肺可闻及湿啰音。",
        "tests": "",
    }


@pytest.fixture
def encounter() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(
        (SAMPLES / "encounters" / "cholecystectomy-laparoscopic.json").read_text("utf-8")
    )
    return loaded
