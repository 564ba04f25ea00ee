"""A study on the page of an imaging task: whose it is, its series, and the run over them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import gradio as gr
from pydantic import BaseModel

from assistant.api.context import Actor
from assistant.record.attachment import Series
from assistant.store import Context
from assistant.ui import watch
from assistant.ui.case_form import is_id
from assistant.ui.imaging.archive_pick import ArchivePick, archive_pick, connect_archive
from assistant.ui.imaging.attached import PROBLEMS, label, listed
from assistant.ui.imaging.dropping import SCRIPT, drop_zone
from assistant.ui.imaging.elements import Elements
from assistant.ui.imaging.strings import STRINGS
from assistant.ui.imaging.study_state import StudyState
from assistant.ui.imaging.viewer import SCRIPT as VIEWER
from assistant.ui.imaging.viewer import STYLE as VIEWER_STYLE
from assistant.ui.imaging.viewer import View, place
from assistant.ui.markup import esc
from assistant.ui.session import Session, clinician
from assistant.ui.status import status_line
from assistant.ui.strings import add
from assistant.work.task import Title

add(STRINGS)

GROUP = Title("影像", "Imaging")

StateT = TypeVar("StateT", bound=StudyState)
Drawn = Callable[[], list[Any]]
Whose = tuple[gr.Textbox, gr.Textbox, gr.Button, gr.HTML, ArchivePick | None]


@dataclass(frozen=True)
class Study(Elements, Generic[StateT]):
    """The pieces of a page; ``name`` is the task's."""

    state: type[StateT]
    modalities: Sequence[str] = ()
    """Which series are offered; none: all that are images."""

    def notice(self) -> None:
        """What stands above everything."""
        self.frame.panel(lambda s: f'<p class="notice warn">{esc(s.text("study.notice"))}</p>')

    def whose(self) -> Whose:
        """Patient, encounter, the button that lists their series, where files are dropped, and
        what picks from an archive."""
        patient, encounter = (
            self.named(gr.Textbox(max_lines=1, elem_id=f"{self.name}-{key}"), f"study.{key}")
            for key in ("patient", "encounter")
        )
        look = self.button("look", "study.look")
        drop = self.frame.panel(
            lambda s: drop_zone(self.name, s.text), elem_id=f"{self.name}-upload", script=SCRIPT
        )
        return patient, encounter, look, drop, archive_pick(self)

    def viewer(self) -> gr.HTML:
        """Where slices are looked at and measured; it shows the view of the state."""
        return self.frame.panel(self._viewer, elem_id=f"{self.name}-viewer", script=VIEWER)

    def _viewer(self, session: Session) -> str:
        state = session.of(self.state)
        return place(self.name, state.view, state.context, session.text)

    def status(self) -> gr.HTML:
        """What is being done, and what was wrong."""
        return self.frame.panel(self._status, elem_id=f"{self.name}-status")

    def _status(self, session: Session) -> str:
        state = session.of(self.state)
        if not state.said and state.work.state == "idle" and not state.images:
            return f'<p class="hint idle">{esc(session.text("study.idle"))}</p>'
        said = f'<p class="status" role="status">{esc(state.said)}</p>' if state.said else ""
        return said + status_line(state.work, session.text)

    def picture(self) -> gr.HTML:
        """The picture of the state."""
        return self.frame.panel(self._picture, elem_id=f"{self.name}-picture")

    def _picture(self, session: Session) -> str:
        shown = session.of(self.state).picture
        alt = esc(session.text("study.picture"))
        return f'<img class="slice" src="{shown}" alt="{alt}">' if shown else ""

    def connect(
        self,
        whose: Whose,
        outputs: list[Any],
        filled: Callable[[Session, bool], Any],
    ) -> None:
        """List the series when asked or when files are dropped.

        ``filled(session, dropped)`` fills what lies before the panels in ``outputs``, from the
        state; it runs in a thread, and may raise what `PROBLEMS` names.
        """
        patient, encounter, look, drop, archive = whose
        panels = [one for one in outputs if isinstance(one, gr.HTML)]

        async def found(
            session: Session, actor: Actor, ids: Sequence[str], *, was_dropped: bool
        ) -> list[Any]:
            state = session.of(self.state)
            state.said, state.picture, state.images, state.context = "", "", [], None
            state.view = None
            await self._list(session, actor, ids)
            try:
                boxes = await asyncio.to_thread(filled, session, was_dropped)
            except PROBLEMS as error:
                state.said, state.images = str(error), []
                boxes = await asyncio.to_thread(filled, session, was_dropped)
            return [*boxes, *self.frame.draw(session, panels)]

        async def looked(
            session: Session, patient: str, encounter: str, request: gr.Request
        ) -> list[Any]:
            actor = clinician(session, request)
            return await found(session, actor, (patient, encounter), was_dropped=False)

        async def kept(session: Session, event: gr.EventData, request: gr.Request) -> list[Any]:
            actor = clinician(session, request)
            data = event._data if isinstance(event._data, dict) else {}
            ids = str(data.get("patient", "")), str(data.get("encounter", ""))
            drawn = await found(session, actor, ids, was_dropped=bool(data.get("kept")))
            if not data.get("kept"):
                session.of(self.state).said = session.text("study.no_dicom")
                drawn[-len(panels) :] = self.frame.draw(session, panels)
            return drawn

        boxes = [self.frame.session, patient, encounter]
        look.click(looked, boxes, outputs, api_visibility="private")
        drop.click(kept, self.frame.session, outputs, api_visibility="private")
        if archive is not None:
            connect_archive(self, self.state, archive, boxes, outputs, found)

    def connect_view(
        self,
        inputs: list[Any],
        panel: gr.HTML,
        chosen: Callable[[StateT, tuple[Any, ...]], View | None],
    ) -> Any:
        """Show in ``panel`` the view that ``chosen(state, values of inputs)`` gives, whenever one
        of ``inputs`` changes.  Gives the handler."""

        async def renewed(session: Session, request: gr.Request, *values: Any) -> Any:
            clinician(session, request)
            state = session.of(self.state)
            state.view = chosen(state, values)
            return self.frame.draw(session, [panel])[0]

        for part in inputs:
            part.change(renewed, [self.frame.session, *inputs], panel, api_visibility="private")
        return renewed

    async def _list(self, session: Session, actor: Actor, ids: Sequence[str]) -> None:
        state, t = session.of(self.state), session.text
        patient, encounter = ((one or "").strip() for one in ids)
        if not is_id(patient) or (encounter and not is_id(encounter)):
            state.said = t("study.ids")
            return
        state.context = context = Context(actor.id, actor.role, patient, encounter)
        held = self.frame.parts.store.attachments
        try:
            state.images = await asyncio.to_thread(listed, held, context, self.modalities)
        except PROBLEMS as error:
            state.said = str(error)
        if not state.images and not state.said:
            state.said = t("study.none")

    async def run(
        self, session: Session, request: gr.Request, body: Callable[[], BaseModel], drawn: Drawn
    ) -> AsyncGenerator[list[Any]]:
        """Ask the task for ``body``, and draw whenever something has changed."""
        actor, state, parts = clinician(session, request), session.of(self.state), self.frame.parts
        state.said = ""
        try:
            asked = parts.tasks[self.name].accept(body(), parts.settings)
        except PROBLEMS as error:
            state.said = str(error)
            yield drawn()
            return
        if await watch.begin(parts, state.work, actor, self.name, asked):
            yield drawn()
            async for _ in watch.follow(parts, state.work):
                yield drawn()
        yield drawn()


def filled_choice(series: Sequence[Series]) -> Any:
    """A list of series with the first one chosen."""
    choices = [(label(one), one.id) for one in series]
    return gr.update(choices=choices, value=choices[0][1] if choices else None)


def style(name: str) -> str:
    """How the pictures of a page look."""
    picture = f"#{name}-picture img.slice {{ max-width: 100%; max-height: 70vh; background: #000 }}"
    return picture + VIEWER_STYLE
