"""A button beside a discharge record: its advice for the patient, checked, and a page to print."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import gradio as gr

from assistant.record.encounter import Encounter
from assistant.tasks.patient_version.draft import Level, PatientVersion
from assistant.tasks.patient_version.task import PatientVersionRequest, PatientVersions
from assistant.tasks.patient_version.ui.settled import page
from assistant.ui import watch
from assistant.ui.actions import act
from assistant.ui.frame import Frame
from assistant.ui.markup import (
    badge,
    button,
    esc,
    filled_form,
    notices,
    refusal,
    statement_list,
    verdict_bar,
)
from assistant.ui.session import Session, Shown, Work
from assistant.ui.status import status_line
from assistant.ui.strings import Text
from assistant.work.task import Refused

SCRIPT = (
    files("assistant.tasks.patient_version.ui").joinpath("assets", "print.js").read_text("utf-8")
)


@dataclass
class LayWork(Work):
    """The patient's version of one stay; ``of_text``: of the record that was filled in."""

    encounter: Encounter | None = None
    of_text: bool = False
    large: bool = True


Here = Callable[[Session], LayWork]
Signed = Callable[[Session], str | None]


@dataclass(frozen=True)
class LayCard:
    """Where the card finds its stay: ``stay``, the text that was filled in (None before that) and
    ``record``, ``whole``, the names under which the page shows notes and that text."""

    here: Here
    text: Signed
    record: str
    whole: str

    def build(self, frame: Frame) -> gr.HTML:
        """Put the card on the page and connect it."""
        panel = frame.panel(self._draw, elem_id="patient-version", script=SCRIPT)

        async def handle(session: Session, data: dict[str, Any]) -> None:
            work = self.here(session)
            match data.get("do"):
                case "lay":
                    await self._make(frame, session, work)
                case "letters":
                    work.large = not work.large
                case _:
                    await act(frame.parts, work, "", data, session.text)

        frame.on_card(panel, handle, [panel])
        return panel

    async def _make(self, frame: Frame, session: Session, work: LayWork) -> None:
        actor, encounter = session.actor, work.encounter
        if actor is None or encounter is None:
            return
        text = self.text(session)
        work.of_text = text is not None
        try:
            asked = frame.parts.tasks[PatientVersions.kind].accept(
                PatientVersionRequest(encounter=encounter, record=text or ""), frame.parts.settings
            )
        except Refused as error:
            work.state, work.message = "failed", str(error)
            return
        if await watch.begin(frame.parts, work, actor, PatientVersions.kind, asked):
            async for _ in watch.follow(frame.parts, work):
                pass

    def _draw(self, session: Session) -> str:
        work, t = self.here(session), session.text
        if work.encounter is None:
            return ""
        shown = work.shown.get("")
        again = shown is not None
        make = button(
            t("lay.again" if again else "lay.make"), "lay", css="" if again else "primary"
        )
        status = status_line(work, t) if work.state in ("failed", "cancelled") else ""
        body = f'<p class="hint">{esc(t("lay.of_record"))}</p>'
        if shown is not None and isinstance(shown.draft, PatientVersion):
            body = self._written(work, shown, shown.draft, t)
        return (
            f'<article class="card lay" aria-label="{esc(t("lay"))}"><header>'
            f"<h3>{esc(t('lay'))}</h3>{make}</header>{status}{body}</article>"
        )

    def _written(self, work: LayWork, shown: Shown, draft: PatientVersion, t: Text) -> str:
        record = self.whole if work.of_text else self.record
        prefix = shown.draft_id
        lists = "".join(
            statement_list(
                t(f"lay.part.{part.name}"), part.statements, shown, t, record=record, prefix=prefix
            )
            for part in draft.parts
        )
        left = shown.open()
        count = (
            badge(f"⚠ {t('unsupported.count', n=len(left))}", "warn")
            if left
            else badge(t("lay.checked", n=len(draft.all_statements())), "good")
        )
        filled = ""
        if shown.filled is not None:
            fields = json.dumps(shown.filled.model_dump(), ensure_ascii=False, indent=1)
            filled = filled_form(shown.filled, shown.signed, fields, t, "fill-lay")
        source = t("lay.of_text" if work.of_text else "lay.of_record")
        return (
            f'<p class="hint">{esc(source)}</p>{count}{_levels(draft, t)}'
            f"{notices(t('warnings'), draft.warnings, 'warn')}{lists}"
            f"{verdict_bar(shown, t, fill=not shown.nothing_left)}{refusal(shown, t, prefix)}"
            f"{filled}{_print_view(work, shown, draft, t)}"
        )


def _levels(draft: PatientVersion, t: Text) -> str:
    columns = (draft.before, draft.level)
    rows: list[tuple[str, Callable[[Level], str]]] = [
        ("lay.length", lambda level: f"{level.mean:g}"),
        ("lay.longest", lambda level: str(level.longest)),
        ("lay.terms", lambda level: str(len(level.unexplained))),
        ("lay.grade", lambda level: t(f"lay.{level.grade}")),
    ]
    heads = "".join(f'<th scope="col">{esc(t(name))}</th>' for name in ("lay.before", "lay.after"))
    body = "".join(
        f'<tr><th scope="row">{esc(t(name))}</th>'
        + "".join(f'<td class="number">{esc(say(level))}</td>' for level in columns)
        + "</tr>"
        for name, say in rows
    )
    return (
        f'<h5>{esc(t("lay.level"))}</h5><table class="levels" aria-label="{esc(t("lay.level"))}">'
        f"<thead><tr><td></td>{heads}</tr></thead><tbody>{body}</tbody></table>"
    )


def _print_view(work: LayWork, shown: Shown, draft: PatientVersion, t: Text) -> str:
    assert work.encounter is not None
    html = page(draft, shown.resolutions, work.encounter, large=work.large)
    letters = button(t("lay.standard" if work.large else "lay.large"), "letters", css="quiet")
    send = button(t("lay.print"), "print", css="primary", target="lay-page")
    # No script runs in it; the page around it asks it to print.
    return (
        f"<h5>{esc(t('lay.preview'))}</h5>"
        f'<div class="verdicts">{send}{letters}</div>'
        f'<iframe id="lay-page" class="lay-page" sandbox="allow-same-origin allow-modals" '
        f'title="{esc(t("lay.preview"))}" srcdoc="{esc(html)}"></iframe>'
    )


STYLE = """
.card.lay header { display: flex; gap: 10px; align-items: center; }
.panel table.levels { width: auto; margin: 8px 0; }
.panel iframe.lay-page { width: 100%; height: 620px; background: #fff; margin-top: 6px;
  border: 1px solid var(--line); border-radius: 6px; }
"""
