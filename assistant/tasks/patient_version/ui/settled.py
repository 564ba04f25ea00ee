"""The page for the patient as the doctor has left it."""

from __future__ import annotations

from collections.abc import Mapping

from assistant.draft import Statement
from assistant.record.encounter import Encounter
from assistant.review.fill_in import Resolution
from assistant.tasks.patient_version.draft import PatientVersion
from assistant.tasks.patient_version.printed import printed


def settled(draft: PatientVersion, resolutions: Mapping[str, Resolution]) -> PatientVersion:
    """The draft without what was deleted, with what was edited; a doctor's word is no flag."""

    def left(statement: Statement) -> Statement | None:
        done = resolutions.get(statement.id)
        if done is None or done.action == "restored":
            return statement
        if done.action == "deleted":
            return None
        text = done.text if done.action == "edited" and done.text else statement.text
        return statement.model_copy(update={"text": text, "status": "supported", "problems": []})

    parts = [
        part.model_copy(update={"statements": [s for one in part.statements if (s := left(one))]})
        for part in draft.parts
    ]
    return draft.model_copy(update={"parts": [part for part in parts if part.statements]})


def page(
    draft: PatientVersion,
    resolutions: Mapping[str, Resolution],
    encounter: Encounter,
    *,
    large: bool,
) -> str:
    """The HTML to print, in one file."""
    return printed(settled(draft, resolutions), encounter, large=large)
