"""The page that is printed for the patient: one HTML file without anything from elsewhere."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template

from assistant.record.encounter import Encounter
from assistant.record.fields import written_day
from assistant.tasks.patient_version.draft import PatientVersion


@cache
def _template() -> Template:
    text = (
        files("assistant.tasks.patient_version") / "templates" / "patient_version.html.jinja"
    ).read_text("utf-8")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(text)


def printed(draft: PatientVersion, encounter: Encounter, *, large: bool = False) -> str:
    """The page; what could not be checked is marked on it.  ``large``: letters of 18 pt."""
    return _template().render(
        large=large,
        name=encounter.patient.name or "患者",
        bed=encounter.bed,
        department=encounter.department or "",
        left=written_day(encounter.discharged_at) or "",
        parts=draft.parts,
        disclaimer="草稿：须经医师核对、签名后才能交给患者。",
    )
