"""Two texts of one record, blind: the model in use and a candidate of the shadow."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import gradio as gr

from assistant.api.context import Actor, Services
from assistant.monitoring.shadow import comparing
from assistant.monitoring.shadow.report import Report, reports
from assistant.record.readable import readable
from assistant.ui.frame import Frame
from assistant.ui.markup import esc
from assistant.ui.review.difference import marked
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

CHOICES = ("a", "b", "same")


def build(frame: Frame) -> None:
    """Lay the form out and connect it."""
    parts, t = frame.parts, frame.first.text
    taken = gr.State(Taken())
    held = gr.Accordion(t("review.pairs"), open=False, elem_id="blind-pairs")
    with frame.labelled(held, "review.pairs"):
        results = panel()
        take = button(frame, "review.next_pair", "pair-next")
        shown = panel("pair")
        better = gr.Radio(_choices(t), label=t("review.better"), elem_id="pair-better")
        frame.drawn.append(
            (
                better,
                lambda s: gr.update(label=s.text("review.better"), choices=_choices(s.text)),
            )
        )
        comment = comment_box(frame, "pair-comment")
        send = button(frame, "review.send_pair", "pair-send", "primary")
        told = panel("pair-told")

    async def next_one(session: Session, request: gr.Request) -> list[Any]:
        try:
            who = reviewer(session, request)
            found, html = await asyncio.to_thread(_next, parts, who, session.text)
        except Refused as error:
            return [Taken(), "", None, "", notice(str(error))]
        return [found, html, None, "", ""]

    async def keep(
        session: Session,
        request: gr.Request,
        before: Taken,
        choice: str | None,
        words: str | None,
    ) -> list[Any]:
        t = session.text
        try:
            who = reviewer(session, request)
            if not before.id:
                raise Refused(t("review.take_first"))
            if choice not in CHOICES:
                raise Refused(t("review.choose_first"))
            chosen = cast(comparing.Choice, choice)
            await asyncio.to_thread(
                asked, lambda: comparing.prefer(parts, who, before.id, chosen, words or "")
            )
        except Refused as error:
            return [gr.skip(), gr.skip(), gr.skip(), gr.skip(), notice(str(error), "bad")]
        followed = await next_one(session, request)
        return [*followed[:-1], notice(t("review.kept"), "good") + followed[-1]]

    async def look(session: Session, request: gr.Request) -> str:
        identify(session, request)
        return _results(await asyncio.to_thread(reports, parts.store), session.text)

    outputs = [taken, shown, better, comment, told]
    take.click(next_one, frame.session, outputs, show_progress="hidden", api_visibility="private")
    send.click(
        keep,
        [frame.session, taken, better, comment],
        outputs,
        show_progress="hidden",
        api_visibility="private",
    )
    frame.on_tab("system", look, results)


def _choices(t: Text) -> list[tuple[str, str]]:
    return [(t(f"review.choice.{one}"), one) for one in CHOICES]


def _next(parts: Services, who: Actor, t: Text) -> tuple[Taken, str]:
    """The pair that waits longest for this reviewer, and its HTML."""
    waiting = asked(lambda: comparing.waiting(parts, who))
    if not waiting:
        return Taken(), f'<p class="hint">{esc(t("review.no_pairs"))}</p>'
    pair = asked(lambda: comparing.read(parts, who, waiting[0].id))
    said = f"{t('review.left', n=len(waiting))} · {t('review.marked')}"
    record = (
        f"<details><summary><b>{esc(t('review.record'))}</b></summary>"
        f'<div class="passage-text" tabindex="0">{esc(readable(pair.record))}</div></details>'
    )
    return Taken(pair.id), f'<p class="hint">{esc(said)}</p>{record}{_texts(pair, t)}'


def _texts(pair: comparing.Pair, t: Text) -> str:
    left, right = "", ""
    for section, mine in pair.a.items():
        title = f"<h4>{esc(section)}</h4>" if section else ""
        a, b = marked(mine, pair.b[section])
        left, right = left + title + a, right + title + b
    return side_by_side((t("review.choice.a"), left), (t("review.choice.b"), right))


def _results(found: Sequence[Report], t: Text) -> str:
    """What reviewers preferred, of the candidates that were compared."""
    rows = "".join(
        f"<tr><td>{esc(one.task)}</td><td>{esc(one.engine)}</td>"
        + "".join(
            f'<td class="number">{one.preferred.get(name, 0)}</td>'
            for name in ("candidate", "real", "same")
        )
        + f'<td class="number">{_interval(one)}</td></tr>'
        for one in found
        if any(one.preferred.values())
    )
    if not rows:
        return f'<p class="hint">{esc(t("review.no_reviews"))}</p>'
    heads = "".join(f'<th scope="col">{esc(t(key))}</th>' for key in ("review.task", "system.name"))
    heads += "".join(
        f'<th scope="col" class="number">{esc(t("review." + key))}</th>'
        for key in ("candidate", "real", "same", "win")
    )
    title = esc(t("review.results"))
    return (
        f'<section class="card" aria-label="{title}"><h3>{title}</h3><table><thead><tr>{heads}'
        f"</tr></thead><tbody>{rows}</tbody></table></section>"
    )


def _interval(one: Report) -> str:
    if one.win_interval is None:
        return "—"
    low, high = one.win_interval
    return f"{low:.0%}–{high:.0%}"
