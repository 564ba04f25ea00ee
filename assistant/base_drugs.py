"""The drugs that a knowledge base has passages about, kept beside it once they are read."""

from __future__ import annotations

from assistant.derived import derived
from knowledge.base import KnowledgeBase
from knowledge.text import drugs, folding
from knowledge.text.drugs import DrugIndex, product_names


def drugs_of(base: KnowledgeBase | None) -> DrugIndex:
    """Where a text names a drug of ``base``; nowhere without one."""
    if base is None:
        return DrugIndex()

    def read() -> dict[str, str]:
        return product_names((p.subject, p.text) for p in base.index.of_kind("drug"))

    return DrugIndex(derived(base.folder, "drugs", (drugs, folding), read))
