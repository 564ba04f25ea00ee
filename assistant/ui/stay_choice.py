"""A stay on a page: whose it is, and the samples that may be chosen instead."""

from __future__ import annotations

from assistant.record.encounter import Encounter
from assistant.record.patient import SEX_ZH
from assistant.ui.case_form import sample_encounters
from assistant.ui.markup import button, esc
from assistant.ui.session import Session
from assistant.ui.strings import Text


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
        f'<label class="file">{esc(t("encounter.file"))} '
        f'<input type="file" accept=".json,.txt,application/json,text/plain"></label></div>'
        f"</details>"
    )


def sample_choices(session: Session) -> list[tuple[str, str]]:
    """Titles and ids of the sample stays in the session's language, behind an empty choice."""
    english = session.language == "en"
    titles = [(s.title_en if english else s.title_zh, s.id) for s in sample_encounters()]
    return [(session.text("example.choose"), ""), *titles]
