"""The clinical base that alerts ask: the one that is open, else the one that ships."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assistant.work.resources import Resources
    from knowledge.clinical.base import ClinicalBase


@cache
def shipped_base() -> ClinicalBase:
    """The curated base that ships with the product.  Reading its entries takes seconds."""
    from knowledge.clinical.base import ClinicalBase
    from knowledge.clinical.entry import shipped_entries
    from knowledge.clinical.vocabulary import vocabulary

    return ClinicalBase(shipped_entries(), vocabulary())


def open_base(resources: Resources) -> ClinicalBase | None:
    """The clinical base of the knowledge base that is open; None where there is none, or it was
    built without entries."""
    base = resources.knowledge.clinical if resources.has_knowledge else None
    return base if base is not None and base.entries else None
