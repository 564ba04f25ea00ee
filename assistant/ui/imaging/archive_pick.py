"""Series picked from an archive (DICOMweb): looked for by the patient's id, fetched, kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr

from assistant.imaging import as_dicom, web_search
from assistant.imaging.web_search import Listed
from assistant.record.attachment import DICOM
from assistant.record.attachment_content import ContentInvalid, read
from assistant.store import Context
from assistant.store.attachments import Attachments
from assistant.ui.case_form import is_id
from assistant.ui.imaging.attached import PROBLEMS
from assistant.ui.imaging.elements import Elements
from assistant.ui.imaging.study_state import StudyState
from assistant.ui.session import Session, clinician

if TYPE_CHECKING:
    from assistant.interop.dicom.settings import DicomWebServer


@dataclass(frozen=True)
class ArchivePick:
    """The parts of the page, and the servers of the settings by their names."""

    servers: Mapping[str, DicomWebServer]
    server: gr.Dropdown
    find: gr.Button
    series: gr.Dropdown
    fetch: gr.Button

    def look(self, name: str, patient_id: str) -> Sequence[Listed]:
        """What the server has of a patient.  Raises `ImageProblem`."""
        return web_search.series_of(self.servers[name], patient_id)

    def take(
        self, name: str, chosen: Sequence[Listed], attachments: Attachments, context: Context
    ) -> int:
        """Fetch series and keep them; how many instances there were.

        Raises `ImageProblem`, and what the store raises.
        """
        count = 0
        for one in chosen:
            for dataset in web_search.instances(self.servers[name], one, context.patient_id):
                try:
                    attachments.add(context, read(as_dicom.written(dataset), DICOM))
                except ContentInvalid:
                    continue
                count += 1
        return count


def archive_pick(study: Elements) -> ArchivePick | None:
    """The part of the page; None where the settings have no server."""
    servers = study.frame.parts.settings.dicomweb
    if not servers:
        return None
    held = gr.Accordion(
        study.frame.first.text("study.archive"), open=False, elem_id=f"{study.name}-archive"
    )
    study.frame.labelled(held, "study.archive")
    with held:
        names = list(servers)
        server = study.choice("server", "study.server", names, value=names[0])
        find = study.button("find", "study.find")
        series = study.choice("found", "study.found", multiselect=True)
        fetch = study.button("fetch", "study.fetch")
    return ArchivePick(servers, server, find, series, fetch)


def shown(one: Listed) -> str:
    """What tells one series of a patient from another."""
    date = f"{one.date[:4]}-{one.date[4:6]}-{one.date[6:8]}" if len(one.date) == 8 else ""
    parts = (date, one.modality, str(one.instances or ""), f"…{one.series[-12:]}")
    return " · ".join(part for part in parts if part)


def connect_archive(
    study: Elements,
    kind: type[StudyState],
    archive: ArchivePick,
    boxes: list[Any],
    outputs: list[Any],
    listed: Callable[..., Any],
) -> None:
    """Look for the patient's series in the archive; fetch those that are chosen.

    ``boxes``: session, patient and encounter; ``listed`` gives ``outputs`` with what is kept.
    """
    frame = study.frame
    panels = [one for one in outputs if isinstance(one, gr.HTML)]

    async def looked(
        session: Session, patient: str, encounter: str, name: str, request: gr.Request
    ) -> list[Any]:
        clinician(session, request)
        state = session.of(kind)
        state.said, state.offered = "", {}
        try:
            patient, _ = _ids(session, patient, encounter)
            there = await asyncio.to_thread(archive.look, name, patient)
            state.offered = {one.series: one for one in there}
            if not there:
                state.said = session.text("study.not_archived")
        except PROBLEMS as error:
            state.said = str(error)
        choices = [(shown(one), uid) for uid, one in state.offered.items()]
        return [gr.update(choices=choices, value=[]), *frame.draw(session, panels)]

    async def fetched(
        session: Session,
        patient: str,
        encounter: str,
        name: str,
        uids: list[str] | None,
        request: gr.Request,
    ) -> list[Any]:
        actor, state = clinician(session, request), session.of(kind)
        chosen = [state.offered[uid] for uid in uids or () if uid in state.offered]
        held, said = frame.parts.store.attachments, ""
        try:
            if not chosen:
                raise ValueError(session.text("study.pick"))
            context = Context(actor.id, actor.role, *_ids(session, patient, encounter))
            await asyncio.to_thread(archive.take, name, chosen, held, context)
        except PROBLEMS as error:
            said = str(error)
        drawn: list[Any] = await listed(session, actor, (patient, encounter), was_dropped=not said)
        if said:
            state.said = said
            drawn[-len(panels) :] = frame.draw(session, panels)
        return drawn

    asked = [*boxes, archive.server]
    archive.find.click(looked, asked, [archive.series, *panels], api_visibility="private")
    asked = [*asked, archive.series]
    archive.fetch.click(fetched, asked, outputs, api_visibility="private")


def _ids(session: Session, patient: str, encounter: str) -> tuple[str, str]:
    """Both ids as they are meant.  Raises `ValueError` where one is none."""
    patient, encounter = (patient or "").strip(), (encounter or "").strip()
    if not is_id(patient) or (encounter and not is_id(encounter)):
        raise ValueError(session.text("study.ids"))
    return patient, encounter
