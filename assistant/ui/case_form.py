"""The case as the form has it: texts in, a checked `Case` out."""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

from pydantic import ValidationError

from assistant.record.case import Case
from assistant.record.encounter import Encounter
from assistant.record.patient import Patient
from assistant.store.context import bound
from assistant.ui.strings import Text

CASE_TEXTS = ("chief_complaint", "present_illness", "past_history", "examination", "tests", "text")
IDENTITY = ("name", "patient_id", "encounter_id", "sex", "age")
LABELS = {name: name for name in CASE_TEXTS} | {
    "id": "patient.id",
    "encounter_id": "encounter.id",
    "name": "patient.name",
    "sex": "patient.sex",
    "age_text": "patient.age",
}
OLDEST = 150
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_AGE = re.compile(
    r"^(?:(?P<years>\d{1,3}(?:\.\d)?)\s*(?:岁|y)?)?\s*"
    r"(?:(?P<months>\d{1,2})\s*(?:个月|月龄|月|m))?\s*(?:(?P<days>\d{1,3})\s*[天日])?$"
)


StayT = TypeVar("StayT", bound=Encounter)


class FormError(ValueError):
    """What is wrong with the form, as a sentence for the doctor."""


@dataclass(frozen=True)
class Sample:
    """A built-in example."""

    id: str
    title_zh: str
    title_en: str
    data: dict[str, Any]


@cache
def sample_cases() -> list[Sample]:
    """The built-in cases, by file name."""
    samples = []
    for name, data in _samples("cases"):
        titles = data.pop("title_zh", name), data.pop("title_en", name)
        samples.append(Sample(data.pop("id", name), *titles, data))
    return samples


@cache
def sample_encounters() -> list[Sample]:
    """The built-in stays, by file name."""
    samples = []
    for name, data in _samples("encounters"):
        encounter = Encounter.model_validate(data)
        patient = encounter.patient
        primary = next((d.name for d in encounter.diagnoses if d.kind == "admission"), name)
        title = f"{primary}（{patient.name} {patient.age_text} · {encounter.department}）"
        samples.append(Sample(encounter.id, title, f"{name} — {title}", data))
    return samples


def _samples(folder: str) -> list[tuple[str, dict[str, Any]]]:
    found = [
        (path.name.removesuffix(".json"), json.loads(path.read_text(encoding="utf-8")))
        for path in files("assistant").joinpath("samples", folder).iterdir()
        if path.name.endswith(".json")
    ]
    return sorted(found, key=lambda pair: pair[0])


def age_in_years(text: str) -> float | None:
    """``3岁1月`` as years; None for an empty text.  Raises `ValueError` for anything else."""
    text = text.strip()
    if not text:
        return None
    match = _AGE.match(text)
    if match is None or not any(match.groups()):
        raise ValueError(text)
    years, months, days = (float(value or 0) for value in match.groups())
    age = years + months / 12 + days / 365.2425
    if age > OLDEST:
        raise ValueError(text)
    return age


def case_values(case: Case) -> dict[str, str]:
    """A case as the values of the form's fields."""
    patient = case.patient
    return {
        **{name: getattr(case, name) for name in CASE_TEXTS},
        "name": patient.name,
        "sex": patient.sex or "",
        "age": patient.age_text,
        "patient_id": patient.id,
        "encounter_id": case.encounter_id,
    }


def is_id(text: str) -> bool:
    """Whether the text can be the id of a patient or an encounter."""
    return _ID.fullmatch(text) is not None


def new_identity() -> tuple[str, str]:
    """The patient and stay of a session from the log-in, else ids that nobody has."""
    token = secrets.token_hex(4)
    if own := bound():
        patient, stay = own[0]
        return patient, stay or f"enc-{token}"
    return f"pat-{token}", f"enc-{token}"


def read_case(values: dict[str, str], t: Text) -> Case:
    """The case of the form; a patient without ids is given new ones.

    Raises `FormError` with what is to be mended.
    """
    try:
        years = age_in_years(values["age"])
    except ValueError:
        raise FormError(t("error.age")) from None
    if not any(values[name].strip() for name in CASE_TEXTS):
        raise FormError(t("error.case_empty"))
    age = values["age"].strip()
    patient_id, encounter_id = values["patient_id"].strip(), values["encounter_id"].strip()
    if not patient_id and not encounter_id:
        patient_id, encounter_id = new_identity()
    try:
        patient = Patient(
            id=patient_id,
            name=values["name"].strip(),
            sex=values["sex"] or None,
            age_text=f"{age}岁" if age.isdigit() else age,
            age_years=years,
        )
        texts = {name: values[name] for name in CASE_TEXTS}
        return Case(patient=patient, encounter_id=encounter_id, **texts)
    except ValidationError as error:
        raise FormError(t("error.case_bad", why=_why(error, t, LABELS))) from None


def read_encounter(text: str, ids: tuple[str, str], t: Text, kind: type[StayT]) -> StayT:
    """An encounter from JSON, or a whole note as text of the patient and encounter ``ids``.

    Free text without ids is given new ones.  ``kind`` is the encounter of a task.  Raises
    `FormError`.
    """
    text = text.strip().removeprefix("\ufeff")
    if not text:
        raise FormError(t("error.case_empty"))
    try:
        if not text.startswith("{"):
            if any(ids) and not all(map(is_id, ids)):
                raise FormError(t("encounter.ids.bad"))
            patient_id, encounter_id = ids if any(ids) else new_identity()
            return kind.from_text(text, patient_id=patient_id, encounter_id=encounter_id)
        data = json.loads(text)
        encounter = kind.model_validate(data.get("encounter", data))
    except json.JSONDecodeError as error:
        where = f"JSON {error.lineno}:{error.colno}"
        raise FormError(t("encounter.bad", why=where)) from None
    except RecursionError:
        raise FormError(t("encounter.bad", why="JSON")) from None
    except ValidationError as error:
        raise FormError(t("encounter.bad", why=_why(error, t, {}))) from None
    if not any(note.text.strip() for note in encounter.all_notes()):
        raise FormError(t("error.case_empty"))
    if len({note.id for note in encounter.notes}) < len(encounter.notes):
        raise FormError(t("encounter.bad", why="notes.id"))
    return encounter


def _why(error: ValidationError, t: Text, labels: dict[str, str]) -> str:
    """The first thing that is wrong: which field, by its label where it has one, and why."""
    first = error.errors(include_input=False, include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    name = t(labels[where]) if where in labels else where
    return f"{name}：{_reason(first['type'], first.get('ctx', {}), t) or first['msg']}"


def _reason(kind: str, limits: dict[str, Any], t: Text) -> str:
    """A sentence for the common mistakes; empty for the others."""
    match kind:
        case "string_pattern_mismatch":
            return t("error.id")
        case "missing" | "string_too_short":
            return t("error.required")
        case "string_too_long":
            return t("error.too_long", n=limits["max_length"])
        case "extra_forbidden":
            return t("error.unknown_field")
    return ""
