"""A small base for clinical evaluations."""

from __future__ import annotations

from pathlib import Path

import pytest
from knowledge_sample import build_sample

from knowledge.base import KnowledgeBase


@pytest.fixture(scope="session")
def sample_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    build_sample(folder).close()
    return folder


@pytest.fixture(scope="session")
def base(sample_folder: Path) -> KnowledgeBase:
    return KnowledgeBase.open(sample_folder)
