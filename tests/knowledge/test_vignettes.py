"""Short own case descriptions over all of medicine, against the full base where it is built."""

from __future__ import annotations

import json
import os
from pathlib import Path

import platformdirs
import pytest

from knowledge.base import KnowledgeBase, KnowledgeMissing
from knowledge.graph import diagnosis_key
from knowledge.text.folding import fold

DATA = Path(__file__).parents[1] / "data" / "knowledge" / "vignettes.jsonl"


@pytest.fixture(scope="module")
def full() -> KnowledgeBase:
    home = Path(os.environ.get("BEDSIDE_HOME") or platformdirs.user_data_dir("bedside"))
    try:
        base = KnowledgeBase.open(home / "knowledge")
    except KnowledgeMissing:
        pytest.skip("the default knowledge base is not built here")
    if len(base.graph) < 1000:
        pytest.skip("the knowledge base here is not the default one")
    return base


def test_most_vignettes_have_their_diagnosis_among_the_first_ten(full: KnowledgeBase) -> None:
    found = 0
    vignettes = [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()]
    for vignette in vignettes:
        findings = full.extractor.extract(vignette["text"], "note")
        ranked = full.graph.rank(
            findings, age_years=vignette["age_years"], sex=vignette["sex"], limit=10
        )
        known = [full.graph.disease(name) for name in vignette["accepted"]]
        keys = {diagnosis_key(fold(name)) for name in vignette["accepted"]}
        keys |= {diagnosis_key(disease.name) for disease in known if disease}
        found += any(diagnosis_key(entry.disease.name) in keys for entry in ranked)
    assert found >= 0.8 * len(vignettes)
