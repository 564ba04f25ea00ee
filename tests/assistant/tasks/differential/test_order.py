"""A model's order stands where it was measured to be no worse than the ranking's."""

from __future__ import annotations

import pytest

from assistant.draft import Statement
from assistant.record.case import Case
from assistant.tasks.differential.case_context import CaseContext, examine
from assistant.tasks.differential.draft import DiagnosisEntry, DifferentialDraft, Order
from assistant.tasks.differential.order import in_order, measured_order
from knowledge.base import KnowledgeBase

RANKING = {"knowledge.top1": 45.0, "knowledge.top5": 63.0}


@pytest.fixture
def context(curated: KnowledgeBase) -> CaseContext:
    about = {"id": "pat-1", "sex": "male", "age_text": "65岁", "age_years": 65}
    text = "突发胸骨后压榨性疼痛，大汗，心电图Ⅱ、Ⅲ、aVF导联ST段抬高，肌钙蛋白I 5.2 ng/ml。"
    return examine(
        Case.model_validate({"patient": about, "encounter_id": "e", "text": text}), curated
    )


def answer(*names: str) -> DifferentialDraft:
    entries = [
        DiagnosisEntry(
            rank=rank,
            name=name,
            name_statement=Statement(id=f"d{rank}-n", text=name, status="supported"),
        )
        for rank, name in enumerate(names, 1)
    ]
    return DifferentialDraft(member="甲", model="m", diagnoses=entries)


@pytest.mark.parametrize(
    ("scores", "order"),
    [
        ({}, "unmeasured"),
        ({"top1": 60.0, "top5": 80.0}, "unmeasured"),
        ({"top1": 20.0, "top5": 70.0} | RANKING, "knowledge"),
        ({"top1": 50.0, "top5": 60.0} | RANKING, "knowledge"),
        ({"top1": 45.0, "top5": 63.0} | RANKING, "model"),
    ],
)
def test_the_scores_of_a_run_say_whose_order(scores: dict[str, float], order: Order) -> None:
    assert measured_order(scores) == order


def test_a_worse_model_stands_in_the_order_of_the_ranking(context: CaseContext) -> None:
    first, second = (one.disease.name for one in context.ranked[:2])
    alias = next(iter(context.ranked[0].disease.aliases))
    draft = in_order(answer("没有这种病", second, alias), context, "knowledge")
    assert [entry.name for entry in draft.diagnoses] == [alias, second, "没有这种病"]
    assert [entry.rank for entry in draft.diagnoses] == [1, 2, 3]
    assert first != second
    assert len({s.id for s in draft.statements()}) == 3


@pytest.mark.parametrize("order", ["model", "unmeasured"])
def test_any_other_keeps_its_own(context: CaseContext, order: Order) -> None:
    names = ["没有这种病", context.ranked[1].disease.name, context.ranked[0].disease.name]
    draft = in_order(answer(*names), context, order)
    assert [entry.name for entry in draft.diagnoses] == names
    assert draft.order == order
