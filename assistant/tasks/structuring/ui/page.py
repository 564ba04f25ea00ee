"""The page 后结构化: notes on the left, what they say as data on the right."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import gradio as gr

from assistant.record.encounter import Encounter
from assistant.store import Context
from assistant.tasks.structuring.ui import documents
from assistant.tasks.structuring.ui.entity_table import entities_html
from assistant.tasks.structuring.ui.feature_card import features_html
from assistant.tasks.structuring.ui.form import of_encounter, read_request, template_choices
from assistant.tasks.structuring.ui.note_text import note_title, notes_html
from assistant.tasks.structuring.ui.patient_card import patient_html
from assistant.tasks.structuring.ui.relation_list import relations_html
from assistant.tasks.structuring.ui.result_card import result_html
from assistant.tasks.structuring.ui.state import KIND, NotesWork, here
from assistant.tasks.structuring.ui.upload import UploadError, read_upload
from assistant.tasks.structuring.ui.upload_list import upload_html
from assistant.ui import watch
from assistant.ui.case_form import FormError, is_id, sample_encounters
from assistant.ui.earlier import earlier_html, look_up, reopened
from assistant.ui.frame import Frame, TaskPage, patient_banner
from assistant.ui.markup import esc
from assistant.ui.session import EarlierRuns, Session, clinician, identify
from assistant.ui.status import status_line
from assistant.work.events import Event

TABS = ("patient", "entities", "relations", "features")
_ASSETS = files("assistant.tasks.structuring.ui").joinpath("assets")
SCRIPT = "".join(
    _ASSETS.joinpath(name).read_text(encoding="utf-8") for name in ("notes.js", "graph.js")
)


@dataclass
class Inputs:
    """What is filled in."""

    sample: gr.Dropdown
    text: gr.Textbox
    patient: gr.Textbox
    admitted: gr.Textbox
    template: gr.Dropdown
    files: gr.HTML

    def values(self) -> list[Any]:
        """The fields whose values a run takes, in their order."""
        return [self.text, self.patient, self.admitted, self.template]


@dataclass
class Layout:
    """The parts of the page that change."""

    banner: gr.HTML
    earlier: gr.HTML
    marked: gr.HTML
    status: gr.HTML
    card: gr.HTML
    views: dict[str, gr.HTML]

    def all(self) -> list[gr.HTML]:
        """Every part, in the order in which handlers return them."""
        return [
            self.banner,
            self.earlier,
            self.marked,
            self.status,
            self.card,
            *self.views.values(),
        ]

    def place(self, panel: gr.HTML) -> int:
        """Where a part stands among all."""
        return next(n for n, one in enumerate(self.all()) if one is panel)


def build(frame: Frame) -> None:
    """Lay the page out and connect it."""
    t = frame.first.text
    with gr.Row(elem_classes="split structured-page", equal_height=False):
        with gr.Column(scale=6, min_width=320, elem_classes="left scrolls"):
            banner = frame.panel(lambda s: patient_banner(here(s).work.context, "", s.text))
            earlier = frame.panel(lambda s: earlier_html(here(s).earlier, here(s).work, s.text))
            with gr.Tabs(elem_classes="inner", selected="edit") as tabs:
                with frame.labelled(gr.Tab(t("notes.edit"), id="edit"), "notes.edit"):
                    inputs = _inputs(frame)
                with frame.labelled(
                    gr.Tab(t("notes.marked"), id="marked", elem_id="notes-marked"), "notes.marked"
                ):
                    marked = frame.panel(_marked, elem_id="marked-notes", script=SCRIPT)
            with gr.Row(elem_classes="run"):
                run = gr.Button(t("notes.run"), variant="primary", elem_id="run-notes", scale=3)
                halt = gr.Button(t("stop"), elem_id="stop-notes", scale=1)
        with gr.Column(scale=8, min_width=460, elem_classes="right"):
            status = frame.panel(_status)
            card = frame.panel(lambda s: result_html(here(s).work, s.text), script=SCRIPT)
            views = _views(frame)
    frame.labelled(run, "notes.run", "value")
    frame.labelled(halt, "stop", "value")
    layout = Layout(banner, earlier, marked, status, card, views)
    _connect_inputs(frame, inputs, layout)
    _connect_run(frame, inputs, layout, tabs, run, halt)
    _connect_earlier(frame, inputs, layout, tabs)


def _inputs(frame: Frame) -> Inputs:
    t = frame.first.text
    sample = gr.Dropdown(
        _samples(frame.first), value="", label=t("notes.sample"), elem_id="sample-notes"
    )
    frame.drawn.append(
        (sample, lambda s: gr.update(label=s.text("notes.sample"), choices=_samples(s)))
    )
    text = gr.Textbox(label=t("notes.text"), lines=10, max_lines=18, elem_id="notes-text")
    chosen = frame.panel(
        lambda s: upload_html(
            here(s).uploads, here(s).refused_files, frame.parts.settings.max_request_bytes, s.text
        ),
        elem_id="notes-files",
        script=SCRIPT,
    )
    with gr.Row(elem_classes="tight"):
        patient = gr.Textbox(
            label=t("patient.id"), max_lines=1, min_width=100, elem_id="notes-patient"
        )
        admitted = gr.Textbox(
            label=t("notes.admitted"),
            placeholder=t("notes.admitted.hint"),
            max_lines=1,
            min_width=100,
            elem_id="notes-admitted",
        )
    template = gr.Dropdown(
        template_choices(t("notes.template.none")),
        value="",
        label=t("notes.template"),
        elem_id="notes-template",
    )
    frame.labelled(text, "notes.text")
    frame.labelled(patient, "patient.id")
    frame.labelled(admitted, "notes.admitted", placeholder="notes.admitted.hint")
    frame.drawn.append(
        (
            template,
            lambda s: gr.update(
                label=s.text("notes.template"),
                choices=template_choices(s.text("notes.template.none")),
            ),
        )
    )
    return Inputs(sample, text, patient, admitted, template, chosen)


def _views(frame: Frame) -> dict[str, gr.HTML]:
    """The tabs of the result; without a result each says nothing."""
    draw = {
        "patient": _patient,
        "entities": lambda s: entities_html(_notes(s), s.text),
        "relations": lambda s: relations_html(_notes(s), s.text) if _notes(s) else "",
        "features": _features,
    }
    views = {}
    with gr.Tabs(elem_classes="inner results"):
        for name in TABS:
            key = f"tab.{name}"
            with frame.labelled(
                gr.Tab(frame.first.text(key), id=name, elem_id=f"notes-{name}"), key
            ):
                views[name] = frame.panel(draw[name], script=SCRIPT)
    return views


def _connect_inputs(frame: Frame, inputs: Inputs, layout: Layout) -> None:
    parts = frame.parts

    async def chosen(session: Session, value: str | None, request: gr.Request) -> list[Any]:
        clinician(session, request)
        found = next((s for s in sample_encounters() if s.id == value), None)
        # Gradio also reports the same choice when the list is only passed through by keyboard.
        if found is None or value == here(session).sample_notes:
            return [gr.skip() for _ in range(4)]
        here(session).sample_notes = value or ""
        encounter = Encounter.model_validate(found.data)
        here(session).uploads = [of_encounter(encounter, found.title_zh)]
        here(session).refused_files = []
        admitted = encounter.admitted_at.date().isoformat() if encounter.admitted_at else ""
        return [*frame.draw(session, [inputs.files]), "", encounter.patient.id, admitted]

    async def handle(session: Session, data: dict[str, Any]) -> None:
        match data.get("do"):
            case "files":
                await _take(frame, session, data.get("files"))
            case "too_large":
                size = parts.settings.max_request_bytes * 3 // 4 // 1000
                here(session).refused_files = [session.text("notes.too_large", n=size)]
            case "remove":
                here(session).uploads, here(session).refused_files, here(session).sample_notes = (
                    [],
                    [],
                    "",
                )

    async def look(session: Session, patient: str | None, request: gr.Request) -> Any:
        actor = clinician(session, request)
        here(session).earlier = EarlierRuns()
        if is_id(wanted := (patient or "").strip()):
            context = Context(actor.id, actor.role, wanted)
            here(session).earlier = await look_up(parts, context, KIND.name)
        return frame.draw(session, [layout.earlier])[0]

    quiet: dict[str, Any] = {
        "show_progress": "hidden",
        "concurrency_limit": None,
        "api_visibility": "private",
    }
    filled = inputs.sample.input(
        chosen,
        [frame.session, inputs.sample],
        [inputs.files, inputs.text, inputs.patient, inputs.admitted],
        **quiet,
    )
    frame.on_card(inputs.files, handle, [inputs.files])
    for event in (filled.then, inputs.patient.blur):
        event(look, [frame.session, inputs.patient], layout.earlier, **quiet)


async def _take(frame: Frame, session: Session, given: object) -> None:
    """Add the files that can be read; say which cannot."""
    here(session).refused_files = []
    for item in given if isinstance(given, list) else []:
        name, content = (item.get("name"), item.get("data")) if isinstance(item, dict) else ("", "")
        if not isinstance(name, str) or not isinstance(content, str):
            continue
        try:
            upload = await asyncio.to_thread(
                read_upload, name, content, frame.parts.settings.home, session.text
            )
        except UploadError as error:
            here(session).refused_files.append(str(error))
            continue
        here(session).uploads = [u for u in here(session).uploads if u.name != upload.name] + [
            upload
        ]


def _connect_run(
    frame: Frame, inputs: Inputs, layout: Layout, tabs: gr.Tabs, run: gr.Button, halt: gr.Button
) -> None:
    parts, panels = frame.parts, layout.all()

    async def start(
        session: Session, request: gr.Request, *values: str | None
    ) -> AsyncGenerator[list[Any]]:
        actor = clinician(session, request)
        work, unchanged = here(session).work, [gr.skip(), gr.skip()]
        text, patient, admitted, template = (value or "" for value in values)
        try:
            notes = read_request(
                text, here(session).uploads, patient, admitted, template, session.text
            )
        except FormError as error:
            await watch.stop(parts, work)
            work.state, work.message = "failed", str(error)
            yield [*frame.draw(session, panels), *unchanged]
            return
        asked = parts.tasks[KIND.name].accept(notes, parts.settings)
        accepted = await watch.begin(parts, work, actor, KIND.name, asked)
        work.request = notes
        if not accepted:
            yield [*frame.draw(session, panels), *unchanged]
            return
        if work.context is not None:
            here(session).earlier = await look_up(parts, work.context, KIND.name)
        yield [*frame.draw(session, panels), gr.skip(), notes.patient_id]
        async for event in watch.follow(parts, work):
            selected = gr.Tabs(selected="marked") if event.name == "draft" else gr.skip()
            yield [*_drawn(frame, session, layout, event), selected, gr.skip()]

    async def stop(session: Session, request: gr.Request) -> list[Any]:
        identify(session, request)
        await watch.stop(parts, here(session).work)
        return frame.draw(session, panels)

    frame.on_run(
        [run.click], start, [frame.session, *inputs.values()], [*panels, tabs, inputs.patient]
    )
    frame.on_stop(halt, stop, panels)


def _connect_earlier(frame: Frame, inputs: Inputs, layout: Layout, tabs: gr.Tabs) -> None:
    parts, panels = frame.parts, layout.all()

    async def reopen(
        session: Session, event: gr.EventData, request: gr.Request
    ) -> AsyncGenerator[list[Any]]:
        clinician(session, request)
        work = await reopened(parts, here(session).earlier, event, KIND)
        if work is not None:
            here(session).work = work
        yield [*frame.draw(session, panels), gr.Tabs(selected="marked")]
        if here(session).work.busy:
            async for step in watch.follow(parts, here(session).work):
                yield [*_drawn(frame, session, layout, step), gr.skip()]

    frame.on_run([layout.earlier.click], reopen, frame.session, [*panels, tabs])


def _drawn(frame: Frame, session: Session, layout: Layout, event: Event) -> list[Any]:
    """What an event changes: all with the result, which is large, else how far the work is."""
    if event.name == "draft":
        return frame.draw(session, layout.all())
    status, card = frame.draw(session, [layout.status, layout.card])
    drawn: list[Any] = [gr.skip() for _ in layout.all()]
    for panel, now in ((layout.status, status), (layout.card, card)):
        drawn[layout.place(panel)] = now
    return drawn


def _notes(session: Session) -> list[Any]:
    result = here(session).work.result
    return result.notes if result else []


def _titles(work: NotesWork) -> dict[str, str]:
    return {note.id: note_title(note) for note in work.request.notes} if work.request else {}


def _marked(session: Session) -> str:
    work = here(session).work
    texts = work.request.notes if work.request and work.result else []
    return notes_html(texts, work.result.notes if work.result else [], session.text)


def _patient(session: Session) -> str:
    result = here(session).work.result
    if result is None:
        return ""
    return patient_html(result.patient, _titles(here(session).work), session.text)


def _features(session: Session) -> str:
    result = here(session).work.result
    return features_html(
        result.table if result else None, _titles(here(session).work), session.text
    )


def _status(session: Session) -> str:
    work, t = here(session).work, session.text
    if work.state == "idle":
        return f'<p class="hint idle no-result">{esc(t("notes.idle"))}</p>'
    nothing = "" if work.result else " no-result"
    line = status_line(work, t)
    return f'<div class="statusline{nothing}">{line}</div>'


def _samples(session: Session) -> list[tuple[str, str]]:
    english = session.language == "en"
    titles = [(s.title_en if english else s.title_zh, s.id) for s in sample_encounters()]
    return [(session.text("example.choose"), ""), *titles]


PAGE = TaskPage(
    "structured",
    build,
    _ASSETS.joinpath("structured.css").read_text(encoding="utf-8"),
    documents.serve,
)
