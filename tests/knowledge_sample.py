"""A small knowledge base of the project's own making, for tests of any package."""

from __future__ import annotations

from pathlib import Path

from knowledge.base import KnowledgeBase
from knowledge.sources import DiseaseRecords, Guidelines, Icd10Table, KnowledgeSource
from serving.encoder.text_encoder import Encoder, HashingEncoder

DATA = Path(__file__).parent / "data" / "knowledge"
LICENCE = "Apache-2.0"


def sample_sources() -> list[KnowledgeSource]:
    """26 diseases, two guidelines and ten codes."""
    return [
        DiseaseRecords(DATA / "diseases.jsonl", "sample-diseases", LICENCE),
        Guidelines(DATA / "guidelines", "sample-guidelines", LICENCE),
        Icd10Table(DATA / "icd10.tsv", "sample-icd10", LICENCE),
    ]


def build_sample(folder: Path, encoder: Encoder | None = None) -> KnowledgeBase:
    """Build the sample base in ``folder`` and open it (well under two seconds)."""
    return KnowledgeBase.build(sample_sources(), folder, encoder or HashingEncoder())
