"""A member's order is trusted where it was measured to be no worse than the ranking's alone.

`bedside eval differential` scores a model and the knowledge ranking on the same cases; the scores
that an approval was given for say which of the two hits more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from assistant.tasks.differential.case_context import CaseContext
from assistant.tasks.differential.draft import DifferentialDraft, Order

EVALUATION: Final = "differential"
"""The kind of the run that measures a member."""
MEASURES: Final = ("top1", "top5")
"""Both are to be no lower than the ranking's; its scores are called ``knowledge.`` and the name."""


def measured_order(scores: Mapping[str, float]) -> Order:
    """Whose order to show, by the scores (0 to 100) of a run; "unmeasured" where they tell nothing
    of the ranking beside the model."""
    pairs = [(scores.get(name), scores.get(f"knowledge.{name}")) for name in MEASURES]
    if any(own is None or ranking is None for own, ranking in pairs):
        return "unmeasured"
    worse = any(own < ranking for own, ranking in pairs if own is not None and ranking is not None)
    return "knowledge" if worse else "model"


def in_order(draft: DifferentialDraft, context: CaseContext, order: Order) -> DifferentialDraft:
    """The draft with its diagnoses in the order that ``order`` says.

    What the ranking does not name stands behind what it does, in the model's own order.
    """
    if order != "knowledge":
        return draft.model_copy(update={"order": order})
    places = {one.disease.name: place for place, one in enumerate(context.ranked)}
    graph = context.knowledge.graph

    def place(name: str) -> int:
        disease = graph.disease(name)
        return places.get(disease.name if disease else name, len(places))

    entries = sorted(draft.diagnoses, key=lambda entry: place(entry.name))
    ranked = [entry.model_copy(update={"rank": n}) for n, entry in enumerate(entries, 1)]
    return draft.model_copy(update={"order": order, "diagnoses": ranked})
