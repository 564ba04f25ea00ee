"""Cases with the diagnosis that is right, from JSON lines of two forms.

``{"case": …, "gold": …}``: the case as free text, or as the JSON of ``/v1/differential-diagnoses``;
gold a name, or a list of names that are all right.  ``id``, ``split``, ``kind`` (typical, atypical,
mimic, common) and ``critical`` (what must not be missed) may stand beside them.

``{"self_report", "symptoms", "disease", "dialogue"}``: paediatric consultations.  The self-report
and the symptoms that were asked for are the case; the dialogue, which ends with the diagnosis, is
never read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from assistant.record.case import Case
from assistant.record.patient import Patient
from eval.errors import InputError
from eval.json_lines import names_of, read_objects
from eval.run.identity import digest

_NAMES = "a name, or a list of names, is needed."
CONSULTATION_NAMES = {
    "上呼吸道感染": ("急性上呼吸道感染", "普通感冒", "感冒", "上感"),
    "小儿腹泻": ("小儿腹泻病", "婴幼儿腹泻", "腹泻病"),
    "过敏性鼻炎": ("变应性鼻炎",),
    "小儿手足口病": ("手足口病",),
    "肺炎": ("小儿肺炎",),
}
"""Names that stand for the diagnoses of the consultations; a base may list them apart."""


@dataclass(frozen=True, slots=True)
class DiagnosisCase:
    """One case.  ``gold``: the names that are right; ``same``: others that stand for them.

    ``kind`` is "typical" or "atypical" where ``critical`` names what must not be missed, "mimic"
    where the case only resembles an emergency.
    """

    id: str
    case: Case
    gold: tuple[str, ...]
    same: tuple[str, ...] = ()
    kind: str = ""
    critical: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.gold, *self.same)


def read_cases(path: Path, split: str = "", limit: int = 0) -> list[DiagnosisCase]:
    """The cases of a file in its order; of one ``split``, and at most ``limit``, where given.

    Raises:
        InputError: with file, line and field.
    """
    cases: dict[str, DiagnosisCase] = {}
    lines: dict[str, int] = {}
    for line, row in read_objects(path):
        if split and _text(path, line, row, "split") != split:
            continue
        case = _read(path, line, row)
        if case.id in lines:
            problem = f"{case.id!r} stands in line {lines[case.id]} already; ids must be unique."
            raise InputError(path, line, problem, "id")
        cases[case.id], lines[case.id] = case, line
        if limit and len(cases) == limit:
            break
    if not cases:
        of = f" of the split {split!r}" if split else ""
        raise InputError(path, 0, f"there is no case{of}.")
    return list(cases.values())


def cases_digest(cases: list[DiagnosisCase]) -> str:
    """SHA-256 of the cases with their gold, in order."""
    return digest([[c.id, c.case.model_dump(mode="json"), c.gold, c.same] for c in cases])


def _read(path: Path, line: int, row: Mapping[str, Any]) -> DiagnosisCase:
    name = f"{path.name.split('.')[0]}-{line}"
    if "id" in row:
        name = _text(path, line, row, "id").strip()
    if "case" in row or "gold" in row:
        kind = _text(path, line, row, "kind") if "kind" in row else ""
        critical = names_of(path, line, row, "critical", _NAMES) if row.get("critical") else ()
        return DiagnosisCase(
            name, _case(path, line, row), _gold(path, line, row), (), kind, tuple(critical)
        )
    if "self_report" in row:
        return _consultation(path, line, row, name)
    raise InputError(path, line, "is missing; each line needs case and gold.", "case")


def _consultation(path: Path, line: int, row: Mapping[str, Any], name: str) -> DiagnosisCase:
    told = _text(path, line, row, "self_report").strip()
    symptoms = row.get("symptoms")
    if not isinstance(symptoms, dict) or not all(isinstance(v, bool) for v in symptoms.values()):
        raise InputError(
            path, line, "an object of names, each true or false, is needed.", "symptoms"
        )
    disease = _text(path, line, row, "disease").strip()
    asked = "，".join(
        ("有" if present else "无") + symptom for symptom, present in symptoms.items()
    )
    text = f"{told}\n问诊：{asked}。" if asked else told
    return DiagnosisCase(
        name,
        _of_text(path, line, text, "self_report"),
        (disease,),
        CONSULTATION_NAMES.get(disease, ()),
    )


def _case(path: Path, line: int, row: Mapping[str, Any]) -> Case:
    given = row.get("case")
    if isinstance(given, str) and given.strip():
        return _of_text(path, line, given, "case")
    if not isinstance(given, dict):
        problem = "the case is needed: text, or the object that the API takes."
        raise InputError(path, line, problem, "case")
    try:
        case = Case.model_validate(given)
    except ValidationError as error:
        raise _refused(path, line, error, "case") from None
    if not case.notes():
        raise InputError(path, line, "the case says nothing.", "case")
    return case


def _of_text(path: Path, line: int, text: str, field: str) -> Case:
    try:
        return Case(patient=Patient(id="case"), encounter_id="case", text=text)
    except ValidationError as error:
        raise _refused(path, line, error, field) from None


def _refused(path: Path, line: int, error: ValidationError, field: str) -> InputError:
    """The first thing wrong; what was given is not repeated."""
    first = error.errors(include_input=False, include_context=False, include_url=False)[0]
    place = ".".join([field, *(str(part) for part in first["loc"])])
    return InputError(path, line, first["msg"] + ".", place)


def _gold(path: Path, line: int, row: Mapping[str, Any]) -> tuple[str, ...]:
    names = names_of(path, line, row, "gold", _NAMES)
    return tuple(dict.fromkeys(name.strip() for name in names))


def _text(path: Path, line: int, row: Mapping[str, Any], field: str) -> str:
    value = row.get(field)
    if not isinstance(value, str) or not value.strip():
        raise InputError(path, line, "text is needed.", field)
    return value
