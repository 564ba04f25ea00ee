"""The week's sample on the PDSQI-9 form in Chinese."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import gradio as gr

from assistant.api.context import Actor, Services
from assistant.monitoring import reviewers
from assistant.monitoring.form import HIGHEST, Item, quality_form
from assistant.monitoring.reviewing import Agreement, agreement
from assistant.record.readable import readable
from assistant.store.quality_reviews import ToReview
from assistant.ui.frame import Frame
from assistant.ui.markup import esc
from assistant.ui.review.taken import (
    Refused,
    Taken,
    asked,
    button,
    comment_box,
    notice,
    panel,
    reviewer,
    side_by_side,
)
from assistant.ui.session import Session, identify
from assistant.ui.strings import Text

NOT_APPLICABLE = "-"


def build(frame: Frame) -> None:
    """Lay the form out and connect it."""
    parts, t = frame.parts, frame.first.text
    form = quality_form()
    taken = gr.State(Taken())
    held = gr.Accordion(t("review.weekly"), open=False, elem_id="weekly-review")
    with frame.labelled(held, "review.weekly"):
        agreed = panel()
        take = button(frame, "review.next", "review-next")
        shown = panel("review-draft")
        scores = [_radio(frame, item) for item in form.items]
        comment = comment_box(frame, "review-comment")
        send = button(frame, "review.send", "review-send", "primary")
        told = panel("review-told")

    async def next_one(session: Session, request: gr.Request) -> list[Any]:
        empty: list[Any] = [None] * len(scores)
        try:
            who = reviewer(session, request)
            found, html = await asyncio.to_thread(_next, parts, who, session.text)
        except Refused as error:
            return [Taken(), "", *empty, "", notice(str(error))]
        return [found, html, *empty, "", ""]

    async def keep(
        session: Session, request: gr.Request, before: Taken, words: str | None, *given: str | None
    ) -> list[Any]:
        t = session.text
        same: list[Any] = [gr.skip()] * (3 + len(scores))
        try:
            who = reviewer(session, request)
            if not before.id:
                raise Refused(t("review.take_first"))
            await asyncio.to_thread(
                asked,
                lambda: reviewers.score(
                    parts, who, before.id, before.week, _scores(given), words or ""
                ),
            )
        except Refused as error:
            return [*same, notice(str(error), "bad")]
        followed = await next_one(session, request)
        return [*followed[:-1], notice(t("review.kept"), "good") + followed[-1]]

    async def look(session: Session, request: gr.Request) -> str:
        identify(session, request)
        reviews = await asyncio.to_thread(parts.store.quality_reviews.list, form.name)
        return _agreement(agreement(reviews, form), session.text)

    outputs = [taken, shown, *scores, comment, told]
    take.click(next_one, frame.session, outputs, show_progress="hidden", api_visibility="private")

    send.click(
        keep,
        [frame.session, taken, comment, *scores],
        outputs,
        show_progress="hidden",
        api_visibility="private",
    )
    frame.on_tab("system", look, agreed)


def _radio(frame: Frame, item: Item) -> gr.Radio:
    """One item of the form; its own words are the form's, in Chinese."""
    t = frame.first.text
    if item.kind == "yes_no":
        choices = [
            (f"{t('review.yes')}（{item.high}）", "1"),
            (f"{t('review.no')}（{item.low}）", "0"),
        ]
        info = item.question
    else:
        choices = [(str(n), str(n)) for n in item.allowed()]
        info = f"{item.question}（1 {item.low}；{HIGHEST} {item.high}）"
    if item.may_not_apply:
        choices.append((t("review.not_applicable"), NOT_APPLICABLE))
    return gr.Radio(choices, label=item.title, info=info, elem_id=f"review-{item.id}")


def _scores(given: Sequence[str | None]) -> dict[str, int | None]:
    """What was chosen; an item without a choice is left out, and then refused by name."""
    found: dict[str, int | None] = {}
    for item, value in zip(quality_form().items, given, strict=True):
        if value == NOT_APPLICABLE:
            found[item.id] = None
        elif value is not None:
            found[item.id] = int(value)
    return found


def _next(parts: Services, who: Actor, t: Text) -> tuple[Taken, str]:
    """The first draft of the sample that this reviewer has not scored, and its HTML."""
    week = reviewers.week_or_last(parts, None)
    drawn = asked(lambda: reviewers.sampled(parts, who, week))
    left = [one for one in drawn if not one.reviewed]
    if not left:
        said = t("review.none_left", week=week, n=len(drawn))
        return Taken(), f'<p class="hint">{esc(said)}</p>'
    chosen = left[0].draft_id
    read = asked(lambda: reviewers.read(parts, who, chosen, week))
    said = t("review.progress", week=week, done=len(drawn) - len(left), n=len(drawn))
    return Taken(chosen, week), f'<p class="hint">{esc(said)}</p>{_draft(read, parts, t)}'


def _draft(read: ToReview, parts: Services, t: Text) -> str:
    task = parts.tasks.get(read.kind)
    title = t.of(task.title) if task is not None else read.kind
    section = f" · {read.section}" if read.section else ""
    return side_by_side(
        (t("review.record"), esc(readable(read.record))),
        (f"{t('review.draft')}（{title}{section}）", esc(read.text)),
    )


def _agreement(found: Sequence[Agreement], t: Text) -> str:
    """The table of the items that at least two reviewers scored."""
    titles = {item.id: item.title for item in quality_form().items} | {"mean": t("review.mean")}
    rows = "".join(
        f'<tr><td>{esc(titles[one.item])}</td><td class="number">{_figure(one.kappa)}</td>'
        f'<td class="number">{_figure(one.icc)}</td><td class="number">{one.drafts}</td>'
        f'<td class="number">{len(one.reviewers)}</td></tr>'
        for one in found
        if one.pairs or one.drafts
    )
    title = esc(t("review.agreement"))
    if not rows:
        inner = f'<p class="hint">{esc(t("review.no_reviews"))}</p>'
    else:
        heads = f'<th scope="col">{esc(t("review.item"))}</th>' + "".join(
            f'<th scope="col" class="number">{esc(t("review." + key))}</th>'
            for key in ("kappa", "icc", "drafts", "reviewers")
        )
        inner = f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    return f'<section class="card" aria-label="{title}"><h3>{title}</h3>{inner}</section>'


def _figure(value: float | None) -> str:
    return "—" if value is None else f"{value:.2f}"
