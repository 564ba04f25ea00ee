"""The Blocks that hold all pages, and how they are mounted beside the API."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import Any

import gradio as gr
from fastapi import FastAPI

from assistant.api.context import Services
from assistant.interop.smart.session import Sessions
from assistant.ui import adoption, evidence_view, feedback, guest, record_search, sign_in, system
from assistant.ui.frame import Frame, Look, TaskPage, strip
from assistant.ui.host import Host
from assistant.ui.imaging import dropping
from assistant.ui.markup import esc
from assistant.ui.session import Session, identify
from assistant.work.registry import Registry
from assistant.work.task import Title, load

logger = logging.getLogger("bedside.assistant.ui")

FONTS = [
    "PingFang SC",
    "Microsoft YaHei",
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "WenQuanYi Micro Hei",
    "system-ui",
    "sans-serif",
]
MONO = ["ui-monospace", "Consolas", "Noto Sans Mono CJK SC", "monospace"]
STYLE = files("assistant.ui").joinpath("style.css").read_text(encoding="utf-8")
ON_LOAD = """() => {
  document.body.classList.remove("dark");
  document.documentElement.lang = "zh-CN";
}"""
SET_LANGUAGE = """() => {
  const english = document.documentElement.lang !== "en";
  document.documentElement.lang = english ? "en" : "zh-CN";
}"""
LOADING_SECONDS = 2.0


def mount(app: FastAPI, parts: Services, launched: Sessions | None = None) -> None:
    """Put the pages at ``/``; who needs a key is shown nothing before it is given."""
    pages = task_pages(parts.tasks)
    blocks = build(parts, pages)
    signed_in = sign_in.install(app, parts, launched)
    host = Host(parts, signed_in)
    guest.serve(app, host)
    evidence_view.serve(app, host, parts)
    dropping.serve(app, host, parts)
    adoption.serve(app, host, parts)
    for _, page in pages:
        if page.serve is not None:
            page.serve(app, host, parts)
    gr.mount_gradio_app(
        app,
        blocks,
        path="/",
        footer_links=[],
        # The browser would otherwise keep what was typed, patient data included.
        run_history=False,
        auth_dependency=signed_in,
        max_file_size=1,
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
        show_error=True,
        theme=theme(),
        css=STYLE + "".join(page.style for _, page in pages),
        js=ON_LOAD,
    )
    sign_in.guard(app)


def theme() -> gr.themes.Base:
    """Calm, dense, and made of fonts that the machine has already."""
    return gr.themes.Base(
        primary_hue="teal",
        neutral_hue="slate",
        text_size="sm",
        spacing_size="sm",
        radius_size="sm",
        font=FONTS,
        font_mono=MONO,
    ).set(
        body_background_fill="#f3f6f8",
        body_background_fill_dark="#f3f6f8",
        button_primary_background_fill="#0f6e78",
        button_primary_background_fill_hover="#0b565e",
        button_primary_text_color="#ffffff",
    )


def task_pages(tasks: Registry) -> list[tuple[Title, TaskPage]]:
    """The pages of the tasks, in their order; one that cannot be loaded is left out."""
    pages: list[tuple[Title, TaskPage]] = []
    for task in tasks:
        if task.page:
            try:
                pages.append((task.title, load(task.page)))
            except Exception as error:
                logger.error("the page of %s is left out: %s", task.kind, type(error).__name__)
    return pages


def build(parts: Services, pages: Sequence[tuple[Title, TaskPage]]) -> gr.Blocks:
    """All pages in one Blocks: the tasks', that of feedback, other packages', the system's."""
    first = Session(language=parts.settings.language)
    blocks: gr.Blocks = gr.Blocks(title="Bedside", analytics_enabled=False, fill_width=True)
    with blocks:
        frame = Frame(parts, first, gr.State(copy.deepcopy(first)))
        t = first.text
        with gr.Row(elem_classes="bar", equal_height=True):
            top = frame.panel(lambda s: strip(parts, s), css="grow")
            switch = frame.labelled(
                gr.Button(t("switch"), size="sm", elem_id="switch-language", scale=0, min_width=84),
                "switch",
                "value",
            )
        tabs: dict[str, gr.Tab] = {}
        with gr.Tabs(elem_classes="pages"):
            for group, together in _grouped(pages):
                if group is None:
                    _add_task_pages(frame, tabs, together)
                    continue
                _add_tab(frame, tabs, f"group-{group.en.lower()}", _titled(group))
                with tabs[f"group-{group.en.lower()}"], gr.Tabs(elem_classes="inner grouped"):
                    _add_task_pages(frame, tabs, together)
            _add_page(frame, tabs, "record_search", record_search.build)
            _add_page(frame, tabs, "feedback", feedback.build)
            _add_page(frame, tabs, "adoption", adoption.build)
            for other in guest.pages():
                _add_guest(frame, tabs, other)
            _add_page(frame, tabs, "system", system.build)
        frame.panel(lambda s: f'<footer class="foot">{esc(s.text("disclaimer"))}</footer>')
        _connect_switch(frame, switch)
        _connect_tabs(frame, tabs)
        _connect_load(frame, blocks, top)
    blocks.queue(default_concurrency_limit=None, max_size=None)
    return blocks


def _grouped(
    pages: Sequence[tuple[Title, TaskPage]],
) -> list[tuple[Title | None, list[tuple[Title, TaskPage]]]]:
    """The pages in their order; those of a group where its first one stands."""
    found: list[tuple[Title | None, list[tuple[Title, TaskPage]]]] = []
    places: dict[Title, list[tuple[Title, TaskPage]]] = {}
    for title, page in pages:
        if page.group is not None and page.group in places:
            places[page.group].append((title, page))
            continue
        together = [(title, page)]
        found.append((page.group, together))
        if page.group is not None:
            places[page.group] = together
    return found


def _add_task_pages(
    frame: Frame, tabs: dict[str, gr.Tab], pages: Sequence[tuple[Title, TaskPage]]
) -> None:
    for title, page in pages:
        _add_tab(frame, tabs, page.key, _titled(title))
        with tabs[page.key]:
            _build_task_page(frame, page)


def _build_task_page(frame: Frame, page: TaskPage) -> None:
    """A page of another package that cannot be laid out does not take the others along."""
    try:
        page.build(frame)
    except Exception as error:
        logger.error("the page %s cannot be laid out: %s", page.key, type(error).__name__)
        frame.panel(
            lambda s: f'<p class="notice bad" role="alert">{esc(s.text("page.failed"))}</p>'
        )


def _add_page(
    frame: Frame, tabs: dict[str, gr.Tab], name: str, build_page: Callable[[Frame], None]
) -> None:
    key = f"page.{name}"
    tab = gr.Tab(frame.first.text(key), id=name, elem_id=f"page-{name}")
    tabs[name] = frame.labelled(tab, key)
    with tab:
        build_page(frame)


def _add_guest(frame: Frame, tabs: dict[str, gr.Tab], page: guest.Page) -> None:
    _add_tab(frame, tabs, page.key, _titled(Title(*page.title)))
    with tabs[page.key]:
        guest.lay_out(page, frame)


def _titled(title: Title) -> Callable[[Session], str]:
    return lambda session: session.text.of(title)


def _add_tab(
    frame: Frame, tabs: dict[str, gr.Tab], key: str, title: Callable[[Session], str]
) -> None:
    tab = gr.Tab(title(frame.first), id=key, elem_id=f"page-{key}")
    tabs[key] = tab
    frame.drawn.append((tab, lambda session: gr.update(label=title(session))))


def _connect_switch(frame: Frame, switch: gr.Button) -> None:
    async def other(session: Session, request: gr.Request) -> list[Any]:
        identify(session, request)
        session.language = "en" if session.language == "zh" else "zh"
        return [draw(session) for _, draw in frame.drawn]

    switched = switch.click(
        other,
        frame.session,
        [component for component, _ in frame.drawn],
        show_progress="hidden",
        concurrency_limit=None,
        api_visibility="private",
    )
    for name, look, shown in frame.on_tabs:
        switched.then(
            _looking(name, look, only_if_opened=True),
            frame.session,
            shown,
            show_progress="hidden",
            concurrency_limit=None,
            api_visibility="private",
        )
    switch.click(None, js=SET_LANGUAGE, api_visibility="private")


def _connect_tabs(frame: Frame, tabs: dict[str, gr.Tab]) -> None:
    """Pages that show what the store has are drawn when they are opened."""
    for name, look, shown in frame.on_tabs:
        tabs[name].select(
            _looking(name, look),
            frame.session,
            shown,
            show_progress="hidden",
            concurrency_limit=None,
            api_visibility="private",
        )


def _looking(name: str, look: Look, *, only_if_opened: bool = False) -> Look:
    async def looking(session: Session, request: gr.Request) -> Any:
        if only_if_opened and name not in session.opened:
            return gr.skip()
        session.opened.add(name)
        return await look(session, request)

    return looking


def _connect_load(frame: Frame, blocks: gr.Blocks, top: gr.HTML) -> None:
    timer = gr.Timer(LOADING_SECONDS)

    async def look(session: Session, request: gr.Request) -> list[Any]:
        identify(session, request)
        await frame.parts.approvals.refresh()
        slots = frame.parts.engines.slots.values()
        settled = all(slot.settled.is_set() for slot in slots)
        return [*frame.draw(session, [top]), gr.Timer(active=not settled)]

    for event in (blocks.load, timer.tick):
        event(
            look,
            frame.session,
            [top, timer],
            show_progress="hidden",
            concurrency_limit=None,
            api_visibility="private",
        )
