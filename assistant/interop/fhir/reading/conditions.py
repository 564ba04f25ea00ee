"""Condition: diagnoses of the stay, and what the patient had before."""

from __future__ import annotations

from dataclasses import dataclass

from assistant.interop.fhir.concept import code_of, icd10, words
from assistant.interop.fhir.element import Element
from assistant.interop.fhir.moments import moment
from assistant.interop.fhir.scope import Scope, is_left_out
from assistant.record.diagnosis import Diagnosis
from assistant.record.fields import written_day

_DROPPED = frozenset({"entered-in-error", "refuted"})
_DOUBTED = frozenset({"unconfirmed", "provisional", "differential"})
_VERIFIED = frozenset({"confirmed", ""})
_OVER = frozenset({"inactive", "remission", "resolved"})
_OVER_ZH = {"inactive": "非活动", "remission": "缓解", "resolved": "已愈"}
_USES = {"DD": "discharge", "AD": "admission"}


@dataclass(frozen=True, slots=True)
class Role:
    """What the Encounter says of a condition."""

    kind: str = "admission"
    primary: bool = False


def roles(scope: Scope) -> dict[tuple[str, str], list[Role]]:
    """The roles of conditions that the Encounter lists, by type and id."""
    encounter = scope.resources.find("Encounter", scope.encounter_id)
    found: dict[tuple[str, str], list[Role]] = {}
    if encounter is None:
        return found
    for row in encounter.children("diagnosis"):
        name = scope.resources.name_of(row.child("condition"), encounter)
        if name is None:
            continue
        kind = _USES.get(code_of(row.child("use")), "admission")
        found.setdefault(name, []).append(Role(kind, row.number("rank") == 1))
    return found


def conditions(
    element: Element, scope: Scope, listed: dict[tuple[str, str], list[Role]]
) -> tuple[list[Diagnosis], str]:
    """(diagnoses of this stay, a line of past history) of one Condition.

    A doubted one is named 待排, which no reader takes for a finding; what is over, of another stay
    or of the problem list alone is past history.
    """
    verification = code_of(element.child("verificationStatus"))
    if is_left_out(element, verification, _DROPPED):
        return [], ""
    if verification not in _DOUBTED | _VERIFIED:
        element.say(
            "warning",
            "status",
            "verificationStatus 不是 FHIR R4 的取值，按待排处理。"
            "(The verificationStatus is none of FHIR R4; taken as not confirmed.)",
        )
    name = words(element.child("code"), scope.mapping)
    if not name:
        element.say("error", "value", "没有诊断名称，未读取。(There is no name; it was not read.)")
        return [], ""
    if scope.mapping.denied.search(name):
        scope.leave_out(element, "denied", "其文字为否定，未作为诊断。(Its words deny it.)")
        return [], f"{name}。"
    doubted = verification not in _VERIFIED
    shown = f"{name}待排" if doubted and not name.endswith(("?", "？", "待排", "待查")) else name
    time = moment(element, "onsetDateTime", "onsetPeriod", "recordedDate")
    clinical = code_of(element.child("clinicalStatus"))
    over = clinical in _OVER or any(key.startswith("abatement") for key in element.data)
    mine = listed.get(element.identity, [])
    if not mine and (over or _is_history(element, scope)):
        return [], _history_line(shown, clinical if over else "", written_day(time.at))
    code = icd10(element.child("code"), scope.mapping)
    made = [
        scope.row(
            Diagnosis,
            element,
            kind=role.kind,
            name=shown,
            icd10=code if code and not doubted else None,
            primary=role.primary,
        )
        for role in dict.fromkeys(mine or [Role()])
    ]
    return [row for row in made if row is not None], ""


def _is_history(element: Element, scope: Scope) -> bool:
    """Whether it is of the problem list or of another stay."""
    named = scope.resources.name_of(element.child("encounter"), element)
    if named is not None:
        return bool(scope.encounter_id) and named != ("Encounter", scope.encounter_id)
    kinds = {code_of(category) for category in element.children("category")}
    return "problem-list-item" in kinds


def _history_line(name: str, clinical: str, day: str) -> str:
    state = f"（{_OVER_ZH.get(clinical, '已结束')}）" if clinical else ""
    return " ".join(part for part in (day, f"{name}{state}") if part) + "。"
