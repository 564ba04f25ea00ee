"""Observation: laboratory and bedside values."""

from __future__ import annotations

from typing import Any

from assistant.interop.fhir.concept import amount, amount_words, codings, range_words, words
from assistant.interop.fhir.element import Element, plain_number
from assistant.interop.fhir.moments import NONE, instant, moment
from assistant.interop.fhir.scope import (
    OTHER_STAY,
    Scope,
    is_known_status,
    is_left_out,
)
from assistant.record.observation import Observation

_DROPPED = frozenset({"entered-in-error", "cancelled", "unknown"})
_FINAL = frozenset({"final", "amended", "corrected"})
_EARLY = frozenset({"registered", "preliminary"})
_STATUSES = _DROPPED | _FINAL | _EARLY
_LONGEST = 500


def observations(element: Element, scope: Scope) -> list[Observation]:
    """The rows of one Observation: its value, or one for each of its components.

    What is not final is ``pending``, its value beside it, so that no text says it as a result.
    What was not measured (dataAbsentReason) makes no row.
    """
    status = element.text("status")
    if not is_known_status(element, status, _STATUSES) or is_left_out(element, status, _DROPPED):
        return []
    time = moment(element, "effectiveDateTime", "effectivePeriod", "effectiveInstant", "issued")
    if scope.is_other_stay(element, time):
        scope.leave_out(element, "stay", OTHER_STAY)
        return []
    shared = {"at": time.at, "status": "pending" if status in _EARLY else "final"}
    if status == "preliminary":
        element.say(
            "warning",
            "preliminary",
            "初步结果，按结果未回处理。(Preliminary; kept as not yet final.)",
        )
    rows = [_pressure(element, scope, shared), _single(element, scope, shared, "")]
    if rows[0] is None:
        for number, part in enumerate(element.children("component")):
            rows.append(_single(part, scope, shared, f"-c{number + 1}", element))
    found = [row for row in rows if row is not None]
    if not found and not element.children("hasMember") and not _is_absent(element):
        element.say("warning", "empty", "没有可读的结果值。(There is no value to read.)")
    return found


def _single(
    part: Element,
    scope: Scope,
    shared: dict[str, Any],
    suffix: str,
    whole: Element | None = None,
) -> Observation | None:
    value, unit = _value(part, scope)
    owner = whole or part
    if not value and (_is_absent(part) or shared["status"] == "final" or whole is not None):
        if _is_absent(part):
            part.say(
                "information",
                "absent",
                "未测得（dataAbsentReason），未纳入。(Not measured; left out.)",
            )
        return None
    if len(value) > _LONGEST:
        part.say(
            "warning",
            "long",
            "结果文字过长，未纳入检验表。(The result's text is too long for a row; left out.)",
        )
        return None
    name = words(part.child("code"), scope.mapping)
    reference, flag = _reference(part, scope), _flag(part, scope)
    return scope.row(
        Observation,
        part,
        id=scope.identifier(owner, suffix),
        name=name,
        value=value,
        unit=unit,
        reference=reference,
        flag=flag or None,
        **shared,
    )


def _pressure(element: Element, scope: Scope, shared: dict[str, Any]) -> Observation | None:
    """120/80 mmHg of its two components; None for anything else."""
    table = scope.mapping.rows["blood_pressure"]
    parts = element.children("component")
    if len(parts) != 2:
        return None
    found = [
        next((p for p in parts if _is(p, table[side], scope)), None)
        for side in ("systolic", "diastolic")
    ]
    if any(part is None or part.has("dataAbsentReason") for part in found):
        return None
    values = [amount(part.child("valueQuantity"), scope.mapping) for part in found if part]
    units = {unit for _, unit in values}
    if not all(value for value, _ in values) or len(units) != 1:
        return None
    return scope.row(
        Observation,
        element,
        id=scope.identifier(element),
        name=table["name"],
        value="/".join(value for value, _ in values),
        unit=units.pop(),
        flag=_flag(element, scope) or None,
        **shared,
    )


def _is(part: Element, names: list[str], scope: Scope) -> bool:
    concept = part.child("code")
    coded = {f"{system}|{code}" for system, code, _ in codings(concept)}
    return bool((coded | {words(concept, scope.mapping)}) & set(names))


def _is_absent(part: Element) -> bool:
    return part.has("dataAbsentReason")


def _value(part: Element, scope: Scope) -> tuple[str, str]:
    """(value, unit); ("", "") where there is none."""
    if part.has("valueQuantity"):
        return amount(part.child("valueQuantity"), scope.mapping)
    if part.has("valueRange"):
        return range_words(part.child("valueRange"), scope.mapping)
    if part.has("valueRatio"):
        ratio = part.child("valueRatio")
        sides = [amount_words(ratio.child(n), scope.mapping) for n in ("numerator", "denominator")]
        return (":".join(sides), "") if all(sides) else ("", "")
    return _plain_value(part, scope), ""


def _plain_value(part: Element, scope: Scope) -> str:
    if part.has("valueCodeableConcept"):
        return words(part.child("valueCodeableConcept"), scope.mapping)
    if part.has("valueBoolean"):
        flag = part.flag("valueBoolean")
        return {True: "有", False: "无", None: ""}[flag]
    if part.has("valueInteger"):
        number = part.number("valueInteger")
        return "" if number is None else plain_number(number)
    for name in ("valueString", "valueTime"):
        if part.has(name):
            return part.text(name)
    if part.has("valueDateTime"):
        text = part.text("valueDateTime")
        return text if (instant(text) or NONE) != NONE else ""
    if any(part.has(name) for name in ("valuePeriod", "valueSampledData")):
        part.say("warning", "value", "这种取值未读取。(Values of this type are not read.)")
        return ""
    for concept in part.children("interpretation"):
        for _, code, _ in codings(concept):
            if found := scope.mapping.rows["interpretation_values"].get(code):
                return str(found)
    return ""


def _flag(part: Element, scope: Scope) -> str:
    for concept in part.children("interpretation"):
        for code in (*(code for _, code, _ in codings(concept)), concept.text("text")):
            if flag := scope.mapping.flag(code):
                return flag
    return ""


def _reference(part: Element, scope: Scope) -> str:
    """The normal range; that of a treatment or of another group is none."""
    for limits in part.children("referenceRange"):
        kind = next((code for _, code, _ in codings(limits.child("type"))), "normal")
        if kind not in ("normal", "recommended"):
            continue
        found, _ = range_words(limits, scope.mapping)
        if text := found or limits.text("text"):
            return text[:_LONGEST]
    return ""
