"""The reader of pages, made once."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytest.importorskip("rapidocr", reason="the extra ocr is not installed")
sys.path.insert(0, str(Path(__file__).parent))

from serving.ocr.reader import Ocr


@pytest.fixture(scope="session")
def ocr() -> Ocr:
    return Ocr("f32", threads=1)
