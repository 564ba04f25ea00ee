"""What was made earlier for the patient in front: listed, and opened again as it was left.

The store gives only what belongs to the page's own patient and encounter, and notes each reading.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

import gradio as gr

from assistant.api.context import Services
from assistant.review.review import Review
from assistant.store import (
    Context,
    DraftRow,
    RequestNotFound,
    RequestRow,
    StoreError,
    Verdict,
)
from assistant.ui.markup import attributes, badge, esc
from assistant.ui.session import EarlierRun, EarlierRuns, Shown, State, Work
from assistant.ui.strings import Text

MOST_RUNS = 20
MOST_DRAFTS = 200

Kept = TypeVar("Kept", bound=Work)


async def look_up(parts: Services, context: Context, kind: str) -> EarlierRuns:
    """The runs of this kind in this context, newest first."""
    return await asyncio.to_thread(_look_up, parts, context, kind)


def _look_up(parts: Services, context: Context, kind: str) -> EarlierRuns:
    requests = parts.store.requests.list(context, kind=kind, limit=MOST_RUNS)
    if not requests:
        return EarlierRuns(context)
    drafts = parts.store.drafts.list(context, limit=MOST_DRAFTS)
    return EarlierRuns(context, [_run(row, drafts) for row in requests])


def _run(row: RequestRow, drafts: Sequence[DraftRow]) -> EarlierRun:
    own = [draft for draft in drafts if draft.request_id == row.id]
    return EarlierRun(
        row.id,
        row.created_at,
        cast(State, row.status),
        drafts=len(own),
        accepted=sum(draft.accepted_at is not None for draft in own),
        signed=sum(draft.signed_at is not None for draft in own),
        stale=any(draft.stale_at is not None for draft in own),
    )


@dataclass(frozen=True)
class Kind(Generic[Kept]):
    """How the runs of a task are opened again: its work from the request, and what the drafts
    that were kept then say of it."""

    name: str
    opened: Callable[[RequestRow], Kept]
    left: Callable[[Kept], None] = lambda work: None


async def reopened(
    parts: Services, runs: EarlierRuns, event: gr.EventData, kind: Kind[Kept]
) -> Kept | None:
    """The run that was clicked, as it was left; None where it cannot be had, which
    ``runs.problem`` then tells."""
    wanted = _chosen_run(event)
    if runs.context is None or not wanted:
        return None
    try:
        work = await reopen(parts, runs.context, wanted, kind)
    except StoreError as error:
        runs.problem = str(error)
        return None
    runs.problem = ""
    return work


async def reopen(parts: Services, context: Context, request_id: str, kind: Kind[Kept]) -> Kept:
    """A run as it was left.  Raises `RequestNotFound`, also for one of another kind."""

    def read() -> Kept:
        row = parts.store.requests.get(context, request_id)
        if row.kind != kind.name:
            raise RequestNotFound
        drafts = list(reversed(parts.store.drafts.list(context, row.id)))
        work = kind.opened(row)
        work.context, work.request_id, work.message = context, row.id, row.failure or ""
        work.state = cast(State, row.status)
        work.overtaken = any(draft.stale_at is not None for draft in drafts)
        for draft in drafts:
            shown = _shown(parts, context, draft)
            work.shown[shown.draft.key()] = shown
        kind.left(work)
        return work

    return await asyncio.to_thread(read)


def _shown(parts: Services, context: Context, row: DraftRow) -> Shown:
    draft = parts.tasks.draft(row.content["draft"])
    task = parts.tasks.of_draft(draft.kind)
    if task is None or not task.reviewed:
        return Shown(row.id, draft, context)
    review = Review(parts.store, context, parts.tasks)
    shown = Shown(row.id, draft, context, resolutions=review.resolutions(row.id))
    opinions = parts.store.feedback.list(context, row.id, limit=MOST_DRAFTS)
    shown.reports = sum(opinion.verdict == "error" for opinion in opinions)
    own = (o.verdict for o in opinions if o.verdict != "error" and o.actor_id == context.actor_id)
    shown.verdict = cast(Verdict | None, next(own, None))
    shown.filled = review.filled(row)
    if row.signed_at is not None:
        shown.signed = (row.edit_distance, row.seconds_to_acceptance)
    return shown


def _chosen_run(event: gr.EventData) -> str:
    """The run whose button was pressed; empty for anything else."""
    data = event._data
    wanted = data.get("request") if isinstance(data, dict) and data.get("do") == "reopen" else ""
    return wanted if isinstance(wanted, str) else ""


def earlier_html(runs: EarlierRuns, work: Work, t: Text) -> str:
    """A folded list of the runs, each a button; nothing where there is none to go back to."""
    others = [run for run in runs.runs if run.request_id != work.request_id]
    if not others:
        return ""
    items = "".join(f"<li>{_item(run, t)}</li>" for run in others)
    problem = f'<p class="notice bad" role="alert">{esc(runs.problem)}</p>' if runs.problem else ""
    return (
        f'<details class="earlier" data-key="earlier"{" open" if runs.problem else ""}>'
        f"<summary>{esc(t('earlier', n=len(others)))}</summary>{problem}"
        f"<ol>{items}</ol></details>"
    )


def _item(run: EarlierRun, t: Text) -> str:
    values = attributes({"class": "act quiet", "data-do": "reopen", "data-request": run.request_id})
    said = [t("earlier.drafts", n=run.drafts)]
    if run.status != "finished":
        said.append(t(f"state.{run.status}"))
    if run.accepted:
        said.append(t("earlier.accepted", n=run.accepted))
    if run.signed:
        said.append(t("earlier.signed", n=run.signed))
    marks = badge(t("earlier.stale"), "warn") if run.stale else ""
    when = run.created_at.astimezone()
    return (
        f'<button type="button"{values}>{when:%Y-%m-%d %H:%M}</button>'
        f'<span class="hint">{esc(" · ".join(said))}</span>{marks}'
    )
