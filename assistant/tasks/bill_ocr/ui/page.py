"""The page 票据识别: files and the archive on the left, the bill on the right."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from importlib.resources import files
from typing import Any

import gradio as gr
from pydantic import ValidationError

import assistant.tasks.bill_ocr.ui.strings  # noqa: F401 - adds its texts
from assistant.record.attachment import PageImage
from assistant.store import Context, StoreError
from assistant.store.bills import Wanted
from assistant.tasks.bill_ocr.corrections import Bill, Desk, Saving
from assistant.tasks.bill_ocr.request import BillToRead
from assistant.tasks.bill_ocr.routes import desk, search
from assistant.tasks.bill_ocr.ui import documents
from assistant.tasks.bill_ocr.ui.archive_view import archive_html, files_html
from assistant.tasks.bill_ocr.ui.bill_view import bill_html
from assistant.tasks.bill_ocr.ui.state import BillState, here
from assistant.ui import watch
from assistant.ui.actions import field
from assistant.ui.case_form import is_id
from assistant.ui.frame import Frame, TaskPage
from assistant.ui.markup import esc
from assistant.ui.session import Session, clinician
from assistant.ui.status import status_line
from assistant.work.task import Refused

KIND = "bill"
MOST_PAGES = 100
_ASSETS = files("assistant.tasks.bill_ocr.ui").joinpath("assets")
SCRIPT = _ASSETS.joinpath("bills.js").read_text(encoding="utf-8")


@dataclass
class Layout:
    """The parts of the page that change."""

    files: gr.HTML
    status: gr.HTML
    bill: gr.HTML
    archive: gr.HTML

    def all(self) -> list[gr.HTML]:
        """In the order in which handlers return them."""
        return [self.files, self.status, self.bill, self.archive]


def build(frame: Frame) -> None:
    """Lay the page out and connect it."""
    t = frame.first.text
    with gr.Row(elem_classes="split bill-page-layout", equal_height=False):
        with gr.Column(scale=3, min_width=260, elem_classes="left scrolls"):
            patient = frame.labelled(
                gr.Textbox(label=t("bill.patient"), max_lines=1, elem_id="bill-patient"),
                "bill.patient",
            )
            encounter = frame.labelled(
                gr.Textbox(label=t("bill.encounter"), max_lines=1, elem_id="bill-encounter"),
                "bill.encounter",
            )
            name = frame.labelled(
                gr.Textbox(label=t("bill.name"), max_lines=1, elem_id="bill-name"), "bill.name"
            )
            chosen = frame.panel(
                lambda s: files_html(here(s), s.text), elem_id="bill-files", script=SCRIPT
            )
            run = frame.labelled(
                gr.Button(t("bill.run"), variant="primary", elem_id="run-bill"), "bill.run", "value"
            )
            archive = frame.panel(
                lambda s: archive_html(here(s), s.text), elem_id="bill-archive", script=SCRIPT
            )
        with gr.Column(scale=10, min_width=460, elem_classes="right"):
            status = frame.panel(_status)
            bill = frame.panel(
                lambda s: bill_html(here(s), s.text), elem_id="bill-card", script=SCRIPT
            )
    layout = Layout(chosen, status, bill, archive)
    _connect(frame, layout, run, [patient, encounter, name])


def _connect(frame: Frame, layout: Layout, run: gr.Button, who: list[gr.Textbox]) -> None:
    parts, panels = frame.parts, layout.all()

    async def start(
        session: Session, request: gr.Request, *values: str | None
    ) -> AsyncGenerator[list[Any]]:
        actor = clinician(session, request)
        state = here(session)
        patient, encounter, name = ((value or "").strip() for value in values)
        asked = _asked(state, patient, encounter, name, session)
        if asked is None:
            yield frame.draw(session, panels)
            return
        submitted = parts.tasks[KIND].accept(asked, parts.settings)
        state.bill, state.bills, state.problem, state.said = None, [], "", ""
        if not await watch.begin(parts, state.work, actor, KIND, submitted):
            yield frame.draw(session, panels)
            return
        state.context = state.work.context
        yield frame.draw(session, panels)
        async for _ in watch.follow(parts, state.work):
            yield frame.draw(session, panels)
        if state.work.state == "finished":
            state.pages, state.file, state.bills = [], "", state.read()
            await _show(desk(parts), state, 0)
            yield frame.draw(session, panels)

    async def on_files(session: Session, data: dict[str, Any]) -> None:
        state = here(session)
        match data.get("do"):
            case "uploaded":
                await _uploaded(frame, session, data)
            case "upload-failed":
                state.refused = [str(data.get("message", ""))[:300]]
            case "remove":
                state.pages, state.file, state.refused = [], "", []

    async def on_bill(session: Session, data: dict[str, Any]) -> None:
        state = here(session)
        state.problem = state.said = ""
        match data.get("do"):
            case "save-bill" | "accept-bill":
                await _save(desk(parts), session, data)
            case "turn":
                step = -1 if str(data.get("step")) == "-1" else 1
                await _show(desk(parts), state, state.at + step)

    async def on_archive(session: Session, data: dict[str, Any]) -> None:
        match data.get("do"):
            case "search-bills":
                await _search(frame, session, data)
            case "open-bill":
                await _open(frame, session, str(data.get("bill", "")))

    frame.on_run([run.click], start, [frame.session, *who], panels)
    frame.on_card(layout.files, on_files, [layout.files])
    frame.on_card(layout.bill, on_bill, [layout.bill])
    frame.on_card(layout.archive, on_archive, [layout.archive, layout.bill, layout.status])


def _asked(
    state: BillState, patient: str, encounter: str, name: str, session: Session
) -> BillToRead | None:
    """The request; None, with the reason told, where it cannot be made."""
    t = session.text
    state.refused = []
    if not state.pages:
        state.refused = [t("bill.files.none")]
    elif state.context is None or (state.context.patient_id, state.context.encounter_id) != (
        patient,
        encounter,
    ):
        state.refused = [t("bill.files.other")]
    if state.refused:
        return None
    try:
        return BillToRead(
            patient_id=patient,
            encounter_id=encounter or None,
            patient_name=name,
            file=state.file,
            attachments=state.pages,
        )
    except ValidationError:
        state.refused = [t("error.id")]
        return None


async def _uploaded(frame: Frame, session: Session, data: dict[str, Any]) -> None:
    """Take pages that the browser has posted: they must be there, for this patient."""
    state, actor = here(session), session.actor
    patient, encounter = str(data.get("patient", "")), str(data.get("encounter", ""))
    given = data.get("ids")
    if actor is None or not is_id(patient) or not isinstance(given, list):
        return
    context = Context(actor.id, actor.role, patient, encounter)
    state.refused = []
    if state.context is None or state.context != context:
        state.context, state.pages, state.file = context, [], ""
        state.bill, state.bills = None, []
    try:
        for one in given[:MOST_PAGES]:
            found = await asyncio.to_thread(frame.parts.store.attachments.get, context, str(one))
            if isinstance(found, PageImage) and found.id not in {p.id for p in state.pages}:
                state.pages.append(found)
    except StoreError as error:
        state.refused = [str(error)]
    state.file = state.file or str(data.get("name", ""))[:200]


async def _show(at: Desk, state: BillState, number: int) -> None:
    """Open the bill ``number`` of those in front, if there is one."""
    if not 0 <= number < len(state.bills) or state.context is None:
        return
    state.at = number
    try:
        state.bill = await asyncio.to_thread(at.open, state.context, state.bills[number])
    except StoreError as error:
        state.problem = str(error)


async def _save(at: Desk, session: Session, data: dict[str, Any]) -> None:
    state = here(session)
    bill, context = state.bill, state.context
    if bill is None or context is None:
        return
    accept = data.get("do") == "accept-bill"
    try:
        saving = Saving.model_validate(
            {
                "version": bill.version,
                "changes": [
                    {"path": pair[0], "value": pair[1]}
                    for pair in data.get("changes") or []
                    if isinstance(pair, list) and len(pair) == 2
                ],
                "accept": accept,
            }
        )
        saved = await asyncio.to_thread(at.save, context, bill.id, saving)
    except (StoreError, Refused) as error:
        state.problem = str(error)
        state.bill = await _again(at, context, bill)
        return
    except ValidationError:
        state.problem = session.text("error.case_bad", why="")
        return
    state.bill, state.said = saved, session.text("bill.saved")
    if accept:
        await _show(at, state, state.at + 1)


async def _again(at: Desk, context: Context, bill: Bill) -> Bill:
    try:
        return await asyncio.to_thread(at.open, context, bill.id)
    except StoreError:
        return bill


async def _search(frame: Frame, session: Session, data: dict[str, Any]) -> None:
    state, actor = here(session), session.actor
    state.archive_problem = ""
    patient = str(data.get("patient", "")).strip()
    if actor is None or not is_id(patient):
        state.archive_problem = session.text("error.id")
        return
    try:
        wanted = Wanted(
            hospital=field(data, "hospital", 100),
            item=field(data, "item", 100),
            text=field(data, "text", 100),
            low_cents=_cents(field(data, "low", 20)),
            high_cents=_cents(field(data, "high", 20)),
        )
    except (InvalidOperation, ValueError, OverflowError):
        state.archive_problem = session.text("bill.archive.bad")
        return
    encounter = str(data.get("encounter", "")).strip()
    context = Context(actor.id, actor.role, patient, encounter)
    try:
        state.found = await asyncio.to_thread(search, desk(frame.parts), context, wanted)
        state.context = state.context if state.pages else context
    except StoreError as error:
        state.archive_problem = str(error)


async def _open(frame: Frame, session: Session, bill_id: str) -> None:
    state, actor = here(session), session.actor
    found = next((one for one in state.found or [] if one.id == bill_id), None)
    if found is None or actor is None:
        return
    state.context = Context(actor.id, actor.role, found.patient_id, found.encounter_id)
    state.bills, state.problem, state.said = [bill_id], "", ""
    await _show(desk(frame.parts), state, 0)


def _cents(text: str) -> int | None:
    number = Decimal(text.replace(",", "")) * 100 if text.strip() else None
    return None if number is None else int(number)


def _status(session: Session) -> str:
    state, t = here(session), session.text
    if state.work.state == "idle" and state.bill is None:
        return f'<p class="hint idle no-result">{esc(t("bill.idle"))}</p>'
    return status_line(state.work, t)


PAGE = TaskPage(
    "bills",
    build,
    _ASSETS.joinpath("bills.css").read_text(encoding="utf-8"),
    documents.serve,
)
