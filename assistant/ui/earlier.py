"""What was made earlier for the patient in front: listed, and opened again as it was left.

The store gives only what belongs to the page's own patient and encounter, and notes each reading.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar, cast

import gradio as gr

from assistant.api.context import Services
from assistant.record.record import Case, Encounter
from assistant.review.review import Review, typed
from assistant.store import (
    Context,
    DraftRow,
    RequestNotFound,
    RequestRow,
    StoreError,
    Verdict,
)
from assistant.store.models import RequestKind
from assistant.tasks.discharge.copied import header
from assistant.tasks.structuring.chain import NotesToStructure, StructuredNotes
from assistant.ui.markup import attributes, badge, esc
from assistant.ui.session import (
    CaseWork,
    EarlierRun,
    EarlierRuns,
    NotesWork,
    Shown,
    State,
    StayWork,
    Work,
)
from assistant.ui.strings import Text
from assistant.ui.watch import key_of

MOST_RUNS = 20
MOST_DRAFTS = 200

Kept = TypeVar("Kept", CaseWork, StayWork, NotesWork)


async def look_up(parts: Services, context: Context, kind: RequestKind) -> EarlierRuns:
    """The runs of this kind in this context, newest first."""
    return await asyncio.to_thread(_look_up, parts, context, kind)


def _look_up(parts: Services, context: Context, kind: RequestKind) -> EarlierRuns:
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


async def reopen_case(parts: Services, context: Context, request_id: str) -> CaseWork:
    """A differential diagnosis as it was left.  Raises `RequestNotFound`."""

    def opened(row: RequestRow) -> CaseWork:
        return CaseWork(case=Case.model_validate(row.payload))

    work = await _reopen(parts, context, request_id, "differential_diagnosis", opened)
    work.filled_by = next((key for key, shown in work.shown.items() if shown.filled), "")
    return work


async def reopen_stay(parts: Services, context: Context, request_id: str) -> StayWork:
    """A discharge record as it was left.  Raises `RequestNotFound`."""

    def opened(row: RequestRow) -> StayWork:
        encounter = Encounter.model_validate(row.payload)
        return StayWork(encounter=encounter, header=header(encounter))

    return await _reopen(parts, context, request_id, "discharge_record", opened)


async def reopen_notes(parts: Services, context: Context, request_id: str) -> NotesWork:
    """Structured notes as they were left.  Raises `RequestNotFound`."""

    def opened(row: RequestRow) -> NotesWork:
        return NotesWork(request=NotesToStructure.model_validate(row.payload))

    return await _reopen(parts, context, request_id, "structured_notes", opened)


async def reopened(
    parts: Services,
    runs: EarlierRuns,
    event: gr.EventData,
    reopen: Callable[[Services, Context, str], Awaitable[Kept]],
) -> Kept | None:
    """The run that was clicked, as it was left; None where it cannot be had, which
    ``runs.problem`` then tells."""
    wanted = _chosen_run(event)
    if runs.context is None or not wanted:
        return None
    try:
        work = await reopen(parts, runs.context, wanted)
    except StoreError as error:
        runs.problem = str(error)
        return None
    runs.problem = ""
    return work


async def _reopen(
    parts: Services,
    context: Context,
    request_id: str,
    kind: RequestKind,
    opened: Callable[[RequestRow], Kept],
) -> Kept:
    def read() -> Kept:
        row = parts.store.requests.get(context, request_id)
        if row.kind != kind:
            raise RequestNotFound
        drafts = list(reversed(parts.store.drafts.list(context, row.id)))
        work = opened(row)
        work.context, work.request_id, work.message = context, row.id, row.failure or ""
        work.state = cast(State, row.status)
        work.overtaken = any(draft.stale_at is not None for draft in drafts)
        for draft in drafts:
            if isinstance(work, NotesWork):
                work.result = StructuredNotes.model_validate(draft.content["draft"])
                continue
            shown = _shown(parts, context, draft)
            work.shown[key_of(shown.draft)] = shown
        return work

    return await asyncio.to_thread(read)


def _shown(parts: Services, context: Context, row: DraftRow) -> Shown:
    review = Review(parts.store, context)
    shown = Shown(row.id, typed(row), resolutions=review.resolutions(row.id))
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
