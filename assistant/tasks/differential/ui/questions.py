"""The questions that would tell most, and the ranking after their answers."""

from __future__ import annotations

import asyncio
from typing import Any

from assistant.api.context import Services
from assistant.tasks.differential.draft import AskedFinding, DifferentialDraft
from assistant.tasks.differential.rerank import FindingAnswer, RankedName, rerank
from assistant.tasks.differential.ui.state import CaseWork
from assistant.ui.markup import badge, button, esc
from assistant.ui.strings import Text

ANSWERS = ("yes", "no", "unknown")
_MOST = 200


def questions_html(draft: DifferentialDraft, work: CaseWork, t: Text) -> str:
    """Questions with their buttons; after an answer the new order, and what was answered."""
    again = work.reranking
    open_ = again.questions if again else draft.questions
    if not open_ and again is None:
        return ""
    asked = "".join(_question(one, t) for one in open_)
    ranked = ""
    if again is not None:
        names = "".join(_ranked(one, t) for one in again.diagnoses)
        said = "".join(_answered(one, t) for one in again.answers)
        ranked = (
            f"<h5>{esc(t('questions.after'))}</h5><ol>{names}</ol>"
            f'<ul class="answered">{said}</ul>{button(t("questions.clear"), "clear", css="quiet")}'
        )
    return (
        f'<section class="questions" aria-label="{esc(t("questions"))}">'
        f"<h5>{esc(t('questions'))}</h5><ul>{asked}</ul>{ranked}"
        f'<p class="hint">{esc(t("questions.hint"))}</p></section>'
    )


def _question(one: AskedFinding, t: Text) -> str:
    label = t("questions.test" if one.is_test else "questions.ask", name=one.finding)
    buttons = "".join(
        button(t(f"answer.{answer}"), "answer", css="quiet", finding=one.finding, answer=answer)
        for answer in ANSWERS
    )
    return f"<li><span>{esc(label)}</span>{buttons}</li>"


def _ranked(one: RankedName, t: Text) -> str:
    percent = 100 * one.probability
    mark = badge(t("must_not_miss"), "critical") if one.must_not_miss else ""
    return (
        f'<li><b class="diagnosis">{esc(one.name)}</b> {percent:.0f}%{mark}'
        f'<span class="share" style="width:{max(percent, 1):.0f}%" aria-hidden="true"></span></li>'
    )


def _answered(one: FindingAnswer, t: Text) -> str:
    return f"<li>{esc(one.finding)}：{esc(t(f'answer.{one.answer}'))}</li>"


async def answer(parts: Services, work: CaseWork, data: dict[str, Any]) -> None:
    """Take an answer from the card, or forget all, and rank again."""
    if work.case is None or not parts.has_knowledge:
        return
    if data.get("do") == "clear":
        work.reranking = None
        return
    finding, said = data.get("finding"), data.get("answer")
    if not isinstance(finding, str) or not 0 < len(finding) <= 60 or said not in ANSWERS:
        return
    earlier = work.reranking.answers if work.reranking else []
    answers = [*earlier, FindingAnswer(finding=finding, answer=said)][-_MOST:]
    work.reranking = await asyncio.to_thread(rerank, work.case, parts.knowledge, answers)
