"""A stay on a page: whose it is, a sample or one of one's own to open, and how it is opened."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import gradio as gr

from assistant.record.encounter import Encounter
from assistant.record.patient import SEX_ZH
from assistant.ui.actions import field
from assistant.ui.case_form import FormError, is_id, read_encounter, sample_encounters
from assistant.ui.frame import Frame
from assistant.ui.markup import button, esc
from assistant.ui.session import Session, identify
from assistant.ui.strings import Text

StayT = TypeVar("StayT", bound=Encounter)
_QUIET: dict[str, Any] = {
    "show_progress": "hidden",
    "concurrency_limit": None,
    "api_visibility": "private",
}


@dataclass(frozen=True, slots=True)
class StayChoice(Generic[StayT]):
    """What a page does with a stay that is chosen.

    ``kind`` is the encounter of its task, ``current`` the one that is open, ``fail`` shows why one
    cannot be opened; of what is pasted ``most`` characters are read.  Where ``reopen`` is given,
    two ids without a text open what was made before; it raises `FormError` where nothing was.
    """

    kind: type[StayT]
    current: Callable[[Session], StayT | None]
    open: Callable[[Session, StayT, gr.Request], Awaitable[None]]
    fail: Callable[[Session, str], None]
    most: int
    reopen: Callable[[Session, tuple[str, str], gr.Request], Awaitable[None]] | None = None

    def connect(
        self, frame: Frame, sample: gr.Dropdown, own: gr.HTML, panels: Sequence[gr.HTML]
    ) -> None:
        """Let the list of samples and the form of one's own open stays, and draw ``panels``."""

        async def chosen(session: Session, value: str | None, request: gr.Request) -> list[Any]:
            found = next((s for s in sample_encounters() if s.id == value), None)
            encounter = self.kind.model_validate(found.data) if found is not None else None
            # Gradio also reports the same choice when the list is only passed through by keyboard.
            if encounter is not None and encounter != self.current(session):
                await self.open(session, encounter, request)
            return frame.draw(session, panels)

        async def opened(session: Session, event: gr.EventData, request: gr.Request) -> list[Any]:
            identify(session, request)
            data = event._data if isinstance(event._data, dict) else {}
            try:
                await self._open_own(session, data, request)
            except FormError as error:
                self.fail(session, str(error))
            return frame.draw(session, panels)

        sample.input(chosen, [frame.session, sample], list(panels), **_QUIET)
        own.click(opened, frame.session, list(panels), **_QUIET)

    async def _open_own(self, session: Session, data: dict[str, Any], request: gr.Request) -> None:
        text = field(data, "text", self.most)
        ids = ("", "")
        if self.reopen is not None:
            ids = field(data, "patient_id").strip(), field(data, "encounter_id").strip()
            if not text.strip() and all(is_id(one) for one in ids):
                await self.reopen(session, ids, request)
                return
        await self.open(session, read_encounter(text, ids, session.text, self.kind), request)


def sample_list(frame: Frame, label: str, elem_id: str) -> gr.Dropdown:
    """The list of sample stays, in the language of the session; ``label`` is a string's key."""
    listed = gr.Dropdown(
        sample_choices(frame.first), value="", label=frame.first.text(label), elem_id=elem_id
    )
    frame.drawn.append(
        (listed, lambda s: gr.update(label=s.text(label), choices=sample_choices(s)))
    )
    return listed


def who(encounter: Encounter | None) -> str:
    """Name, sex and age for the banner; empty where no stay is open."""
    if encounter is None:
        return ""
    patient = encounter.patient
    sex = SEX_ZH.get(patient.sex or "", "")
    return " ".join(part for part in (patient.name, sex, patient.age_text) if part)


def own_form(key: str, t: Text, *, asks_ids: bool = False) -> str:
    """Where a stay of one's own is given: as JSON, as text, or as a file.

    ``key`` keeps it open while the page is drawn anew; ``asks_ids``: text may be given ids.
    """
    ids = "".join(
        f'<label>{esc(t(label))}<input type="text" name="{name}" maxlength="64"></label>'
        for name, label in (("patient_id", "patient.id"), ("encounter_id", "encounter.id"))
    )
    asked = f'<p class="hint">{esc(t("encounter.ids"))}</p><div class="ids">{ids}</div>'
    return (
        f'<details class="own-form" data-key="{esc(key)}" data-form>'
        f"<summary>{esc(t('encounter.own'))}</summary>"
        f'<label>{esc(t("encounter.json"))}<textarea name="text" rows="5"></textarea></label>'
        f"{asked if asks_ids else ''}"
        f'<div class="verdicts">{button(t("encounter.open"), "open", css="primary")}'
        f'<label class="act">{esc(t("encounter.file"))} '
        f'<input type="file" accept=".json,.txt,application/json,text/plain"></label></div>'
        f"</details>"
    )


def sample_choices(session: Session) -> list[tuple[str, str]]:
    """Titles and ids of the sample stays in the session's language, behind an empty choice."""
    english = session.language == "en"
    titles = [(s.title_en if english else s.title_zh, s.id) for s in sample_encounters()]
    return [(session.text("example.choose"), ""), *titles]
