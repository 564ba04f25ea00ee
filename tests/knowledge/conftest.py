from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from knowledge_sample import build_sample

from knowledge.base import KnowledgeBase


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeBase]:
    built = build_sample(tmp_path_factory.mktemp("knowledge"))
    yield built
    built.close()
