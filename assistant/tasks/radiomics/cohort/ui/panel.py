"""A cohort on the page: a table dropped, its columns shown, the report grows, new cases."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

import gradio as gr

from assistant.tasks.radiomics.cohort.draft import CohortModel, CohortPart, CohortProgress
from assistant.tasks.radiomics.cohort.guess import Guess
from assistant.tasks.radiomics.cohort.request import DEFAULT_STUDY, CohortRoles, CohortToModel
from assistant.tasks.radiomics.cohort.ui import drawing
from assistant.tasks.radiomics.cohort.ui.strings import STRINGS
from assistant.tasks.radiomics.cohort.ui.tables import tables
from assistant.ui import watch
from assistant.ui.frame import Frame
from assistant.ui.markup import esc
from assistant.ui.session import PageState, Session, Work, clinician
from assistant.ui.status import status_line
from assistant.ui.strings import add
from assistant.work.task import Refused

add(STRINGS)

KIND = "radiomics_cohort"
SCRIPT = (
    files("assistant.tasks.radiomics.cohort.ui").joinpath("assets").joinpath("cohort.js")
).read_text(encoding="utf-8")
_ROLES = ("outcome", "time", "event", "id", "site")


@dataclass
class CohortState(PageState):
    """The table in front, what is known of it, and the work."""

    work: Work = field(default_factory=Work)
    table: bytes = b""
    guess: Guess | None = None
    cases: int = 0
    parts: dict[str, dict[str, Any]] = field(default_factory=dict)
    done: int = 0
    total: int = 0
    predicted: dict[str, Any] = field(default_factory=dict)
    said: str = ""

    def works(self) -> Sequence[Work]:
        return (self.work,)

    def model(self) -> CohortModel | None:
        """What the work has given, when it has."""
        drafts = [shown.draft for shown in self.work.shown.values()]
        return next((one for one in drafts if isinstance(one, CohortModel)), None)


def build(frame: Frame) -> None:
    """Lay the part out and connect it."""
    t = frame.first.text
    held = gr.Accordion(t("cohort.title"), open=False, elem_id="cohort")
    frame.labelled(held, "cohort.title")
    with held:
        drop = frame.panel(
            lambda s: drawing.drop_zone("table", "cohort.drop", s.text),
            elem_id="cohort-upload",
            script=SCRIPT,
        )
        columns = frame.panel(_columns, elem_id="cohort-columns")
        with gr.Row():
            roles = [_role(frame, name) for name in _ROLES]
        run = gr.Button(t("cohort.run"), variant="primary", elem_id="cohort-run")
        frame.labelled(run, "cohort.run", "value")
        status = frame.panel(_status, elem_id="cohort-status")
        grown = frame.panel(_grown, elem_id="cohort-report")
        new = frame.panel(_drop_new, elem_id="cohort-new", script=SCRIPT)
        predicted = frame.panel(_predicted, elem_id="cohort-predicted")
    shown = [status, columns, grown, new, predicted]
    _connect_table(frame, drop, roles, shown)
    _connect_run(frame, run, roles, [status, grown, new, predicted])
    _connect_new(frame, new, [status, predicted])


def _role(frame: Frame, name: str) -> gr.Dropdown:
    key = f"cohort.{name}"
    made = gr.Dropdown([""], value="", label=frame.first.text(key), elem_id=f"cohort-{name}")
    frame.labelled(made, key)
    return made


def _columns(session: Session) -> str:
    state = session.of(CohortState)
    return drawing.columns(state.guess, state.cases, session.text) if state.guess else ""


def _status(session: Session) -> str:
    state = session.of(CohortState)
    said = f'<p class="status bad" role="status">{esc(state.said)}</p>' if state.said else ""
    return said + status_line(state.work, session.text)


def _grown(session: Session) -> str:
    state = session.of(CohortState)
    found = state.model()
    if found is not None and state.work.context is not None:
        study = state.work.context.patient_id
        return drawing.result(found, study, state.work.request_id, session.text)
    return drawing.grown(state.parts, state.done, state.total, session.text)


def _drop_new(session: Session) -> str:
    if session.of(CohortState).model() is None:
        return ""
    return drawing.drop_zone("predict", "cohort.drop_new", session.text)


def _predicted(session: Session) -> str:
    found = session.of(CohortState).predicted
    return drawing.predicted(found, session.text) if found else ""


def _connect_table(
    frame: Frame, drop: gr.HTML, roles: list[gr.Dropdown], shown: list[gr.HTML]
) -> None:
    async def dropped(session: Session, event: gr.EventData, request: gr.Request) -> list[Any]:
        actor, state = clinician(session, request), session.of(CohortState)
        data = event._data if isinstance(event._data, dict) else {}
        state.table = tables(frame.parts).get(actor.id, str(data.get("token", "")))
        state.guess, state.said = None, ""
        await watch.stop(frame.parts, state.work)
        state.work = Work()
        state.parts, state.done, state.total, state.predicted = {}, 0, 0, {}
        try:
            await asyncio.to_thread(_look, state)
        except ValueError as error:
            state.said, state.table = str(error), b""
        return [*_filled(state.guess), *frame.draw(session, shown)]

    drop.click(
        dropped,
        frame.session,
        [*roles, *shown],
        api_visibility="private",
        show_progress="hidden",
    )


def _look(state: CohortState) -> None:
    """Read the table and guess; raises `CohortRefused`."""
    from assistant.tasks.radiomics.cohort.run import guessed

    state.guess, state.cases = guessed(state.table)


def _filled(guess: Guess | None) -> list[Any]:
    names = [""] + [column.name for column in guess.columns] if guess else [""]
    known = vars(guess.roles) if guess else {}
    return [gr.update(choices=names, value=known.get(name, "")) for name in _ROLES]


def _connect_run(
    frame: Frame, run: gr.Button, roles: list[gr.Dropdown], outputs: list[gr.HTML]
) -> None:
    parts = frame.parts

    async def start(
        session: Session, request: gr.Request, *chosen: str | None
    ) -> AsyncGenerator[list[Any]]:
        actor, state = clinician(session, request), session.of(CohortState)
        state.parts, state.done, state.total = {}, 0, 0
        state.said, state.predicted = "", {}
        try:
            body = _body(state, chosen, session)
            asked = await asyncio.to_thread(parts.tasks[KIND].accept, body, parts.settings)
        except (Refused, ValueError) as error:
            state.said = str(error)
            yield frame.draw(session, outputs)
            return
        if await watch.begin(parts, state.work, actor, KIND, asked):
            yield frame.draw(session, outputs)
            async for event in watch.follow(parts, state.work):
                if isinstance(event, CohortProgress):
                    state.done, state.total = event.done, event.total
                elif isinstance(event, CohortPart):
                    state.parts[event.part] = event.content
                yield frame.draw(session, outputs)
        yield frame.draw(session, outputs)

    frame.on_run([run.click], start, [frame.session, *roles], outputs)


def _body(state: CohortState, chosen: Sequence[str | None], session: Session) -> CohortToModel:
    if not state.table or state.guess is None:
        raise ValueError(session.text("cohort.no_table"))
    roles = {name: value or "" for name, value in zip(_ROLES, chosen, strict=True)}
    aside = set(roles.values())
    clinical = [name for name in state.guess.clinical if name not in aside]
    return CohortToModel(
        study_id=DEFAULT_STUDY,
        table=base64.b64encode(state.table).decode(),
        roles=CohortRoles(**roles),
        settings={"clinical": clinical} if clinical else {},
    )


def _connect_new(frame: Frame, new: gr.HTML, outputs: list[gr.HTML]) -> None:
    async def dropped(session: Session, event: gr.EventData, request: gr.Request) -> list[Any]:
        from assistant.tasks.radiomics.cohort.routes import predicted

        actor, state = clinician(session, request), session.of(CohortState)
        data = event._data if isinstance(event._data, dict) else {}
        table = tables(frame.parts).get(actor.id, str(data.get("token", "")))
        found, id_column = state.model(), state.guess.roles.id if state.guess else ""
        state.predicted, state.said = {}, ""
        if found is not None and table:
            try:
                state.predicted = await asyncio.to_thread(predicted, found, table, id_column)
            except ValueError as error:
                state.said = str(error)
        return frame.draw(session, outputs)

    new.click(dropped, frame.session, outputs, api_visibility="private", show_progress="hidden")
