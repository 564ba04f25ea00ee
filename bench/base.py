"""The knowledge base that a measurement runs on."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from assistant.settings import Settings
from knowledge.base import KnowledgeBase, KnowledgeMissing


def open_base() -> KnowledgeBase:
    """The built base, else the small one that the tests use."""
    try:
        return KnowledgeBase.open(Settings().knowledge_folder)
    except KnowledgeMissing:
        sys.path.append(str(Path(__file__).parent.parent / "tests"))
        from knowledge_sample import build_sample

        return build_sample(Path(tempfile.mkdtemp()))
