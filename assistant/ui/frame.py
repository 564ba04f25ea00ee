"""What every page is built with: the language switch, cards that report back, the top bar."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

import gradio as gr
from fastapi import FastAPI

from assistant.api.context import LOCAL_ACTOR, Services
from assistant.store import Context
from assistant.store.context import bound
from assistant.ui.host import Host
from assistant.ui.markup import badge, esc
from assistant.ui.session import Session, identify
from assistant.ui.strings import Text
from assistant.work.task import Title

_ASSETS = files("assistant.ui").joinpath("assets")
PANEL_JS = "".join(
    _ASSETS.joinpath(name).read_text(encoding="utf-8") for name in ("evidence.js", "panel.js")
)

Draw = Callable[[Session], Any]
Look = Callable[[Session, gr.Request], Awaitable[Any]]
Handle = Callable[[Session, dict[str, Any]], Awaitable[None]]


@dataclass(frozen=True)
class TaskPage:
    """The page of a task: how it is laid out, its style, and the documents that it serves.

    ``key`` is its name in addresses; pages of one ``group`` stand together under its title.
    """

    key: str
    build: Callable[[Frame], None]
    style: str = ""
    serve: Callable[[FastAPI, Host, Services], None] | None = None
    group: Title | None = None


@dataclass
class Frame:
    """The page under construction: its services, its session, and what to draw again."""

    parts: Services
    first: Session
    session: gr.State
    drawn: list[tuple[Any, Draw]] = field(default_factory=list)
    on_tabs: list[tuple[str, Look, Any]] = field(default_factory=list)

    def labelled(self, component: Any, key: str, what: str = "label", **more: str) -> Any:
        """Keep a component's label (or another property) in the language of the page."""
        names = {what: key, **more}
        self.drawn.append(
            (component, lambda s: _changed({name: s.text(k) for name, k in names.items()}))
        )
        return component

    def panel(
        self, draw: Draw, *, css: str = "", elem_id: str | None = None, script: str = ""
    ) -> gr.HTML:
        """A part of the page that ``draw`` makes from the session.

        ``script`` goes on where the script of all cards ends, with its names.
        """
        html = gr.HTML(
            draw(self.first),
            js_on_load=PANEL_JS + script,
            apply_default_css=False,
            elem_id=elem_id,
            elem_classes=["panel", *css.split()],
            padding=False,
        )
        self.drawn.append((html, draw))
        return html

    def on_tab(self, name: str, look: Look, shown: Any) -> None:
        """Draw ``shown`` by ``look(session, request)`` whenever the page ``name`` is opened."""
        self.on_tabs.append((name, look, shown))

    def draw(self, session: Session, panels: Sequence[gr.HTML]) -> list[Any]:
        """The panels as the session has them now."""
        how = {id(component): draw for component, draw in self.drawn}
        return [how[id(panel)](session) for panel in panels]

    def on_run(self, events: Sequence[Any], start: Any, inputs: Any, outputs: Any) -> None:
        """Let ``events`` begin ``start``; running again stops what runs."""
        gr.on(
            list(events),
            start,
            inputs,
            outputs,
            show_progress="hidden",
            trigger_mode="multiple",
            concurrency_limit=None,
            api_visibility="private",
        )

    def on_stop(self, halt: gr.Button, stop: Any, outputs: Any) -> None:
        """Let ``halt`` stop what runs; it answers at once, whatever else is waiting."""
        halt.click(
            stop,
            self.session,
            outputs,
            show_progress="hidden",
            concurrency_limit=None,
            api_visibility="private",
        )

    def on_card(self, panel: gr.HTML, handle: Handle, redraw: Sequence[gr.HTML]) -> Any:
        """Let ``handle`` do what a button in ``panel`` asks for, then draw ``redraw`` again."""

        async def handler(session: Session, event: gr.EventData, request: gr.Request) -> Any:
            identify(session, request)
            data = event._data
            if isinstance(data, dict):
                await handle(session, data)
            drawn = self.draw(session, redraw)
            return drawn if len(drawn) > 1 else drawn[0]

        return panel.click(
            handler,
            self.session,
            list(redraw),
            api_visibility="private",
            show_progress="hidden",
            trigger_mode="multiple",
            concurrency_limit=None,
        )


def _changed(properties: dict[str, Any]) -> Any:
    return gr.update(**properties)


def strip(parts: Services, session: Session) -> str:
    """The top bar: product, who is signed in, and which models serve."""
    t = session.text
    slots = parts.engines.slots.values()
    chips = "".join(
        f'<li class="engine {esc(slot.state)}"><span class="dot" aria-hidden="true"></span>'
        f"{esc(parts.engines.describe(slot.name))} "
        f'<span class="state">{esc(t("state." + slot.state))}</span>'
        f"{badge(t('demo_only'), 'demo') if slot.demo_only else ''}</li>"
        for slot in slots
        # An adapter answers where its base does; there may be many.
        if not slot.settings.adapter
    )
    return (
        f'<header class="top"><h1>{esc(t("product"))}</h1>'
        f'<ul class="engines" aria-label="{esc(t("models"))}">{chips}</ul>'
        f'<p class="who">{_who(session, t)}</p></header>{_missing(parts, t)}'
    )


def _who(session: Session, t: Text) -> str:
    if session.actor is None:
        return ""
    role = t(f"role.{session.actor.role}") if _known_role(session.actor.role) else ""
    if patients := bound():
        # From the hospital's log-in: it is left, and another patient opened, on its own page.
        listed = "、".join(" ".join(filter(None, one)) for one in patients)
        return (
            f"{esc(role)} <b>{esc(session.actor.id)}</b> {esc(t('session.for'))} "
            f'<span class="id">{esc(listed)}</span> '
            f'<a href="smart/session">{esc(t("session"))}</a>'
        )
    with_key = session.actor != LOCAL_ACTOR
    out = f' <a href="sign-out">{esc(t("sign_out"))}</a>' if with_key else ""
    return f"{esc(role)} <b>{esc(session.actor.id)}</b>{out}"


def _known_role(role: str) -> bool:
    return role in ("doctor", "nurse", "pharmacist", "student", "auditor", "admin")


def _missing(parts: Services, t: Text) -> str:
    lines = []
    if not parts.has_knowledge:
        lines.append(t("knowledge_missing"))
    if all(slot.state == "missing" for slot in parts.engines.slots.values()):
        lines.append(t("model_missing"))
    items = "".join(f"<li>{esc(line)}</li>" for line in lines)
    return f'<ul class="notice warn missing" role="status">{items}</ul>' if items else ""


def patient_banner(context: Context | None, who: str, t: Text) -> str:
    """For whom the page is."""
    if context is None:
        return f'<p class="patient none">{esc(t("patient"))}：{esc(t("no_patient"))}</p>'
    encounter = (
        f' <span class="id">{esc(t("encounter"))} {esc(context.encounter_id)}</span>'
        if context.encounter_id
        else ""
    )
    name = f"<b>{esc(who)}</b> " if who else ""
    return (
        f'<p class="patient">{esc(t("patient"))}：{name}'
        f'<span class="id">{esc(context.patient_id)}</span>{encounter}</p>'
    )
