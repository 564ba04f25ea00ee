"""Passages by the ids that drafts cite, the product's own list of critical diagnoses included."""

from __future__ import annotations

from knowledge.base import KnowledgeBase
from knowledge.disease import Disease
from knowledge.ranking.critical import critical_diseases
from knowledge.rare.passage import PREFIX as RARE_PREFIX
from knowledge.rare.passage import rare_passage
from knowledge.sources import Passage

CRITICAL_PREFIX = "critical:"
CRITICAL_SOURCE = "不可漏诊清单"


def passage_about(knowledge: KnowledgeBase, disease: Disease) -> Passage | None:
    """The passage that the base made of a disease."""
    return knowledge.index.passage(disease.passage_id) if disease.passage_id else None


def cited_passage(knowledge: KnowledgeBase, passage_id: str) -> Passage | None:
    """The passage that a draft's evidence names, or None."""
    if passage_id.startswith(RARE_PREFIX):
        return rare_passage(knowledge.rare.table, passage_id) if knowledge.rare else None
    if not passage_id.startswith(CRITICAL_PREFIX):
        return knowledge.index.passage(passage_id)
    name = passage_id.removeprefix(CRITICAL_PREFIX)
    entry = next((e for e in critical_diseases() if e.name == name), None)
    if entry is None:
        return None
    return Passage(
        id=passage_id,
        subject=name,
        title=f"{name}（{CRITICAL_SOURCE}）",
        text=f"警惕：{entry.red_flags}\n排除：{entry.excluded_by}",
        source=CRITICAL_SOURCE,
        version="",
        key=name,
        kind="disease",
    )
