"""What the page shows of an answer that a model planned."""

from __future__ import annotations

from assistant.store import Context
from assistant.tasks.record_qa.draft import Proposal, RecordAnswer, Step
from assistant.tasks.record_qa.ui.cards import turns_html
from assistant.tasks.record_qa.ui.state import AskState, AskTurn
from assistant.ui.session import Session, Shown


def html_of(answer: RecordAnswer) -> str:
    context = Context("d", "doctor", "p", "e")
    turn = AskTurn(context, "r1", "finished", question=answer.question)
    turn.shown[""] = Shown("d1", answer, context)
    return turns_html(AskState(turns=[turn]), Session().text)


def test_steps_are_folded_and_a_proposal_has_a_button() -> None:
    answer = RecordAnswer(
        question="q",
        outcome="to_confirm",
        steps=[Step(tool="results", title="检验结果", arguments={"test": "<b>血钾"}, found=3)],
        proposal=Proposal(tool="perfusion", title="脑灌注"),
        thinking="先看<血钾>",
    )
    shown = html_of(answer)
    assert '<details class="ask-steps"' in shown
    assert "&lt;b&gt;血钾" in shown
    assert "查到 3 条" in shown
    assert 'data-do="agree"' in shown
    # Thoughts are folded, and are no part of what can be filled in.
    assert '<details class="ask-thinking"' in shown
    assert "先看" not in answer.plain_text()


def test_without_a_proposal_there_is_nothing_to_agree_to() -> None:
    assert 'data-do="agree"' not in html_of(RecordAnswer(question="q", message="m"))
