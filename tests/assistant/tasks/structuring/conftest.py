"""What structures notes with the sample base, opened once a module."""

from __future__ import annotations

import pytest

from assistant.tasks.structuring.pipeline import Structurer
from knowledge.base import KnowledgeBase


@pytest.fixture(scope="module")
def structurer(knowledge: KnowledgeBase) -> Structurer:
    return Structurer(knowledge)
