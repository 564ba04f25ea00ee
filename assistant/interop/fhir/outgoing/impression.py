"""A differential diagnosis as a ClinicalImpression, and its candidates as Conditions.

A candidate is never ``confirmed``: it is ``differential``, and ``provisional`` once a doctor has
filled the draft in with it.
"""

from __future__ import annotations

from collections.abc import Iterator

from assistant.interop.fhir.outgoing import label
from assistant.interop.fhir.outgoing.composition import shown
from assistant.interop.fhir.outgoing.kept import Kept, instant
from assistant.interop.fhir.terminology import ICD10, Resource, status_concept
from assistant.tasks.differential.draft import DiagnosisEntry, DifferentialDraft

MOST_CONDITIONS = 50


def entries(kept: Kept) -> Iterator[tuple[DiagnosisEntry, str]]:
    """(candidate, its name now), what must not be missed first; deleted ones are left out."""
    if not isinstance(kept.draft, DifferentialDraft):
        return
    seen: set[str] = set()
    for entry in (*kept.draft.critical, *kept.draft.diagnoses):
        name = kept.text_of(entry.name_statement)
        if name and entry.name_statement.id not in seen:
            seen.add(entry.name_statement.id)
            yield entry, name


def impression(kept: Kept) -> Resource | None:
    """The candidates as findings, each with what speaks for it; None for another draft.

    The ranking's score is a log-odds and no probability, and is called so.
    """
    if not isinstance(kept.draft, DifferentialDraft):
        return None
    found = list(entries(kept))
    made: Resource = {
        "resourceType": "ClinicalImpression",
        "id": kept.row.id,
        "meta": label.meta(kept),
        "text": label.narrative(label.notice(kept), *(name for _, name in found)),
        "status": "completed" if kept.is_accepted else "in-progress",
        "description": label.title(kept),
        "subject": label.subject(kept),
        "date": instant(kept.last_changed),
        "summary": label.notice(kept),
        "note": [{"text": label.notice(kept)}],
    }
    if encounter := label.stay(kept):
        made["encounter"] = encounter
    if kept.row.accepted_by:
        made["assessor"] = label.practitioner(kept.row.accepted_by)
    if found:
        made["finding"] = [_finding(kept, entry, name) for entry, name in found]
    return made


def _finding(kept: Kept, entry: DiagnosisEntry, name: str) -> Resource:
    made: Resource = {"itemCodeableConcept": _concept(kept, entry, name)}
    extensions = [{"url": f"{label.URN}:rank", "valuePositiveInt": entry.rank}]
    if entry.score is not None:
        extensions.append({"url": f"{label.URN}:log-odds-score", "valueDecimal": entry.score})
    if entry.must_not_miss:
        extensions.append({"url": f"{label.URN}:must-not-miss", "valueBoolean": True})
    made["extension"] = extensions
    basis = [
        f"{sign}{shown(kept, statement, words)}"
        for sign, statements in (("支持：", entry.supporting), ("不支持：", entry.opposing))
        for statement in statements
        if (words := kept.text_of(statement))
    ]
    if basis:
        made["basis"] = "；".join(basis)
    return made


def _concept(kept: Kept, entry: DiagnosisEntry, name: str) -> Resource:
    """The name; the code only where the name is still the one that the code is of."""
    made: Resource = {"text": name}
    if entry.icd10 and name == entry.name_statement.text:
        coding = {"system": ICD10, "code": entry.icd10}
        made["coding"] = [coding | ({"display": entry.icd10_name} if entry.icd10_name else {})]
    return made


def conditions(kept: Kept) -> list[Resource]:
    """Each candidate as a Condition whose id is the draft's and the statement's."""
    state = "provisional" if kept.is_accepted else "differential"
    found = []
    for number, (entry, name) in enumerate(entries(kept)):
        if number >= MOST_CONDITIONS:
            break
        made: Resource = {
            "resourceType": "Condition",
            "id": f"{kept.row.id}-{number + 1}",
            "meta": label.meta(kept),
            "text": label.narrative(label.notice(kept), name),
            "clinicalStatus": status_concept("condition-clinical", "active"),
            "verificationStatus": status_concept("condition-ver-status", state),
            "category": [status_concept("condition-category", "encounter-diagnosis")],
            "code": _concept(kept, entry, name),
            "subject": label.subject(kept),
            "recordedDate": instant(kept.last_changed),
            "note": [{"text": label.notice(kept)}],
        }
        if encounter := label.stay(kept):
            made["encounter"] = encounter
        found.append(made)
    return found
