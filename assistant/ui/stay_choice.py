"""A stay on a page: whose it is, and the samples that may be chosen instead."""

from __future__ import annotations

from assistant.record.encounter import Encounter
from assistant.record.patient import SEX_ZH
from assistant.ui.case_form import sample_encounters
from assistant.ui.session import Session


def who(encounter: Encounter | None) -> str:
    """Name, sex and age for the banner; empty where no stay is open."""
    if encounter is None:
        return ""
    patient = encounter.patient
    sex = SEX_ZH.get(patient.sex or "", "")
    return " ".join(part for part in (patient.name, sex, patient.age_text) if part)


def sample_choices(session: Session) -> list[tuple[str, str]]:
    """Titles and ids of the sample stays in the session's language, behind an empty choice."""
    english = session.language == "en"
    titles = [(s.title_en if english else s.title_zh, s.id) for s in sample_encounters()]
    return [(session.text("example.choose"), ""), *titles]
