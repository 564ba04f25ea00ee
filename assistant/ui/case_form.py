"""The case as the form has it: texts in, a checked `Case` out."""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from pydantic import ValidationError

from assistant.record import Case, Encounter, Patient
from assistant.ui.strings import Text

CASE_TEXTS = ("chief_complaint", "present_illness", "past_history", "examination", "tests", "text")
IDENTITY = ("name", "patient_id", "encounter_id", "sex", "age")
OLDEST = 150
_AGE = re.compile(
    r"^(?:(?P<years>\d{1,3}(?:\.\d)?)\s*(?:岁|y)?)?\s*"
    r"(?:(?P<months>\d{1,2})\s*(?:个月|月龄|月|m))?\s*(?:(?P<days>\d{1,3})\s*[天日])?$"
)


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


def new_identity() -> tuple[str, str]:
    """A patient id and an encounter id that nobody has."""
    token = secrets.token_hex(4)
    return f"pat-{token}", f"enc-{token}"


def read_case(values: dict[str, str], t: Text) -> Case:
    """The case of the form.  Raises `FormError` with what is to be mended."""
    try:
        years = age_in_years(values["age"])
    except ValueError:
        raise FormError(t("error.age")) from None
    if not any(values[name].strip() for name in CASE_TEXTS):
        raise FormError(t("error.case_empty"))
    age = values["age"].strip()
    try:
        patient = Patient(
            id=values["patient_id"].strip(),
            name=values["name"].strip(),
            sex=values["sex"] or None,
            age_text=f"{age}岁" if age.isdigit() else age,
            age_years=years,
        )
        texts = {name: values[name] for name in CASE_TEXTS}
        return Case(patient=patient, encounter_id=values["encounter_id"].strip(), **texts)
    except ValidationError as error:
        raise FormError(t("error.case_bad", why=_why(error, t))) from None


def read_encounter(text: str, t: Text) -> Encounter:
    """An encounter from JSON, or a whole note as text.  Raises `FormError`."""
    text = text.strip().removeprefix("\ufeff")
    if not text:
        raise FormError(t("error.case_empty"))
    try:
        if not text.startswith("{"):
            patient_id, encounter_id = new_identity()
            return Encounter.from_text(text, patient_id=patient_id, encounter_id=encounter_id)
        data = json.loads(text)
        encounter = Encounter.model_validate(data.get("encounter", data))
    except json.JSONDecodeError as error:
        where = f"JSON {error.lineno}:{error.colno}"
        raise FormError(t("encounter.bad", why=where)) from None
    except RecursionError:
        raise FormError(t("encounter.bad", why="JSON")) from None
    except ValidationError as error:
        raise FormError(t("encounter.bad", why=_why(error, t))) from None
    if not any(note.text.strip() for note in encounter.all_notes()):
        raise FormError(t("error.case_empty"))
    if len({note.id for note in encounter.notes}) < len(encounter.notes):
        raise FormError(t("encounter.bad", why="notes.id"))
    return encounter


def _why(error: ValidationError, t: Text) -> str:
    first = error.errors(include_input=False, include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] == "string_pattern_mismatch":
        return f"{where}：{t('error.id')}"
    return f"{where}：{first['msg']}"
