"""The cards of the panel and the diagnoses that must not be missed."""

from __future__ import annotations

from assistant.draft import Statement
from assistant.tasks.differential.draft import DiagnosisEntry, DifferentialDraft, Order
from assistant.tasks.differential.ui.member_card import critical_html, member_card
from assistant.tasks.differential.ui.state import CaseWork
from assistant.ui.session import Shown
from assistant.ui.strings import Text

ZH = Text("zh")


def critical(name: str) -> DiagnosisEntry:
    statement = Statement(id="c1-n", text=name, status="supported")
    return DiagnosisEntry(rank=1, name=name, name_statement=statement, must_not_miss=True)


def test_what_only_a_model_raised_is_said_to_be_its_own() -> None:
    baseline = DifferentialDraft(member="知识库排序", model="", critical=[critical("主动脉夹层")])
    model = DifferentialDraft(
        member="甲", model="m", critical=[critical("主动脉夹层"), critical("急性胰腺炎")]
    )
    # The model may well answer first.
    work = CaseWork(shown={"甲": Shown("2", model), "知识库排序": Shown("1", baseline)})
    cards = critical_html(work, ZH).split('<li class="critical-card">')[1:]
    raised = ["由 甲 提出" in card for card in cards]
    assert ["主动脉夹层" in card for card in cards] == [True, False]
    assert raised == [False, True]


def test_a_model_that_was_measured_worse_is_said_to_only_explain() -> None:
    def card(model: str, order: Order) -> str:
        draft = DifferentialDraft(
            member="甲", model=model, order=order, diagnoses=[critical("主动脉夹层")]
        )
        work = CaseWork(shown={"甲": Shown("1", draft)})
        return member_card("甲", model, False, work, ZH)

    assert "按知识库的次序列出" in card("m", "knowledge")
    assert "没有与知识库排序比较过" in card("m", "unmeasured")
    assert "不低于知识库排序" in card("m", "model")
    assert "知识库排序比较" not in card("", "unmeasured")
