"""Pages that other packages bring, under the entry point group ``bedside.pages``.

Such a page draws HTML from what it keeps on the disk, and serves documents under ``pages/<key>/``.
It knows nothing of this package; who may see it is decided in `assistant.ui.host`, as for every
other page.
"""

from __future__ import annotations

import asyncio
from importlib.metadata import entry_points
from typing import Any, Protocol

import gradio as gr
from fastapi import APIRouter, FastAPI

from assistant.ui.frame import Frame
from assistant.ui.host import Host, is_clinical
from assistant.ui.session import Session, identify

GROUP = "bedside.pages"
LOOK_SECONDS = 4.0
"""How often a page is drawn anew while something on it is under way."""


class Page(Protocol):
    """A page of another package.  ``title`` is in Chinese and English."""

    @property
    def key(self) -> str:
        """Its name in addresses."""

    @property
    def title(self) -> tuple[str, str]:
        """What its tab is called."""

    def draw(
        self, host: Host, base: str, language: str, *, clinical: bool
    ) -> tuple[str, str, bool]:
        """What is drawn while something is under way, what below it once, whether anything is."""

    def router(self, host: Host) -> APIRouter:
        """The documents that it serves."""


def pages() -> list[Page]:
    """The pages that are installed, in the order of their names."""
    return [entry.load() for entry in sorted(entry_points(group=GROUP), key=lambda e: e.name)]


def base_of(page: Page) -> str:
    """Where a page's documents are, from the root of the UI."""
    return f"pages/{page.key}"


def serve(app: FastAPI, host: Host) -> None:
    """Mount the documents of every page; call it before Gradio is mounted."""
    for page in pages():
        app.include_router(page.router(host), prefix=f"/{base_of(page)}")


def lay_out(page: Page, frame: Frame) -> None:
    """Lay the page out and connect it."""
    host = Host(frame.parts, None)
    with gr.Column(elem_classes="sheet wide"):
        listed, below = (
            gr.HTML(
                elem_classes=["panel"],
                elem_id=f"{page.key}-{what}",
                apply_default_css=False,
                padding=False,
            )
            for what in ("list", "view")
        )
    timer = gr.Timer(LOOK_SECONDS, active=False)

    async def look(session: Session, request: gr.Request) -> list[Any]:
        who = identify(session, request)
        await frame.parts.approvals.refresh()
        drawn, view, busy = await asyncio.to_thread(
            page.draw, host, base_of(page), session.language, clinical=is_clinical(who)
        )
        return [drawn, view, gr.Timer(active=busy)]

    async def again(session: Session, request: gr.Request) -> list[Any]:
        drawn, _, going_on = await look(session, request)
        return [drawn, going_on]

    frame.on_tab(page.key, look, [listed, below, timer])
    timer.tick(
        again,
        frame.session,
        [listed, timer],
        show_progress="hidden",
        concurrency_limit=None,
        api_visibility="private",
    )
