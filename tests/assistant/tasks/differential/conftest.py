"""The curated entries as they ship, in a base of their own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from assistant.application import build_app
from assistant.settings import Settings
from knowledge.base import KnowledgeBase
from knowledge.rare.ontology import is_installed
from knowledge.rare.source import ChineseNames, RareDiseases
from knowledge.sources import ClinicalEntries, KnowledgeSource
from tests.rare_sample import CHINESE, write_ontology


@pytest.fixture(scope="session")
def curated_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("curated")
    sources: list[KnowledgeSource] = [ClinicalEntries()]
    if is_installed():
        (folder / "zh.tsv").write_text(CHINESE, encoding="utf-8")
        names = ChineseNames(folder / "zh.tsv")
        sources += [RareDiseases(names, write_ontology(folder / "hpo")), names]
    KnowledgeBase.build(sources, folder).close()
    return folder


@pytest.fixture(scope="session")
def curated(curated_folder: Path) -> KnowledgeBase:
    return KnowledgeBase.open(curated_folder)


@pytest.fixture
def curated_client(
    tmp_path: Path, curated_folder: Path, empty_database: Path
) -> Iterator[TestClient]:
    shutil.copy(empty_database, tmp_path)
    (tmp_path / "knowledge").symlink_to(curated_folder)
    app = build_app(Settings(home=tmp_path, encoder="hashing"), with_ui=False)
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as opened:
        yield opened
