"""MedicationRequest, MedicationAdministration and MedicationStatement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from assistant.interop.fhir.concept import amount_words, is_among, words
from assistant.interop.fhir.element import Element
from assistant.interop.fhir.moments import moment
from assistant.interop.fhir.reading.dosage import Regimen, regimen
from assistant.interop.fhir.scope import OTHER_STAY, Scope, is_known_status, is_left_out
from assistant.record.fields import written_day
from assistant.record.medication import Medication

_REQUEST_DROPPED = frozenset({"entered-in-error", "cancelled", "draft", "on-hold", "unknown"})
_REQUEST = _REQUEST_DROPPED | {"active", "completed", "stopped"}
_ORDERED = frozenset({"order", "original-order", "reflex-order", "filler-order", "instance-order"})
_GIVEN_DROPPED = frozenset({"entered-in-error", "not-done", "on-hold", "unknown"})
_GIVEN = _GIVEN_DROPPED | {"in-progress", "completed", "stopped"}
_SAID_DROPPED = frozenset({"entered-in-error", "not-taken", "intended", "unknown", "on-hold"})
_SAID = _SAID_DROPPED | {"active", "completed", "stopped"}
_ENDED = frozenset({"stopped"})


@dataclass(frozen=True, slots=True)
class Drug:
    """What a drug is called, and its strength."""

    name: str
    specification: str = ""


def drug(element: Element, scope: Scope) -> Drug | None:
    """The drug, named in place or by a Medication that is contained or came along.

    None, and a problem, where neither names it.
    """
    concept = element.child("medicationCodeableConcept")
    reference = element.child("medicationReference")
    target = scope.resources.target(reference, element) if reference else None
    if target is not None and target.text("status") == "entered-in-error":
        is_left_out(element, "entered-in-error", _REQUEST_DROPPED)
        return None
    name = words(concept, scope.mapping)
    if target is not None:
        name = name or words(target.child("code"), scope.mapping)
    name = name or reference.text("display")
    if not name:
        element.say(
            "error",
            "medication",
            "没有药品名称，引用的 Medication 也未随附，未读取。"
            "(No drug is named and the Medication did not come along; it was not read.)",
        )
        return None
    return Drug(name, _strength(target, scope) if target is not None else "")


def requests(element: Element, scope: Scope) -> list[Medication]:
    """A row for each dosage of an order in force, completed or stopped."""
    status = element.text("status")
    if not is_known_status(element, status, _REQUEST):
        return []
    if is_left_out(element, status, _REQUEST_DROPPED):
        return []
    if element.text("intent") not in _ORDERED or element.flag("doNotPerform"):
        scope.leave_out(
            element, "intent", "不是已下达的用药医嘱，未纳入。(It is no order to give the drug.)"
        )
        return []
    if scope.is_other_stay(element, moment(element, "authoredOn")):
        scope.leave_out(element, "stay", OTHER_STAY)
        return []
    found = drug(element, scope)
    if found is None:
        return []
    home = any(
        is_among(c, scope.mapping, "discharge_categories") for c in element.children("category")
    )
    ways = [regimen(d, scope) for d in element.children("dosageInstruction")] or [Regimen()]
    rows = [
        _row(element, scope, found, way, f"-d{number + 1}" if number else "", status, home)
        for number, way in enumerate(ways)
    ]
    return [row for row in rows if row is not None]


def _row(
    element: Element,
    scope: Scope,
    found: Drug,
    way: Regimen,
    suffix: str,
    status: str,
    home: bool,
) -> Medication | None:
    supply = element.child("dispenseRequest")
    valid = supply.child("validityPeriod")
    start = way.start.day or moment(valid, "start").day or moment(element, "authoredOn").day
    stop = way.stop.day or moment(valid, "end").day
    frequency = way.frequency
    if status in _ENDED and stop is None:
        # Nothing says when: the row must not read as if the drug were still given.
        frequency = f"{frequency}（已停用）"
    return scope.row(
        Medication,
        element,
        id=scope.identifier(element, suffix),
        name=found.name,
        specification=found.specification,
        dose=way.dose,
        route=way.route,
        frequency=frequency,
        days=way.days if way.days is not None else _supply_days(supply),
        start=start,
        stop=stop,
        discharge=home,
    )


def _supply_days(supply: Element) -> int | None:
    duration = supply.child("expectedSupplyDuration")
    number, unit = duration.number("value"), duration.text("code") or duration.text("unit")
    if number is None or unit not in ("d", "天", "日") or number != int(number):
        return None
    return int(number) if 0 <= number <= 3650 else None


def _strength(medication: Element, scope: Scope) -> str:
    """``100mg/片`` of the first ingredient, or the amount of the package."""
    for ingredient in medication.children("ingredient"):
        ratio = ingredient.child("strength")
        above = amount_words(ratio.child("numerator"), scope.mapping)
        below = amount_words(ratio.child("denominator"), scope.mapping)
        if above:
            below = below[1:] if below.startswith("1") and not below[1:2].isdigit() else below
            return f"{above}/{below}" if below else above
    amount = medication.child("amount")
    return amount_words(amount.child("numerator"), scope.mapping)


@dataclass(frozen=True, slots=True)
class Given:
    """One administration; those of one drug, dose and way become one row."""

    key: tuple[str, str, str]
    element: Element
    found: Drug
    day: date | None


def administration(element: Element, scope: Scope) -> Given | None:
    """What was given; None for what was not, or what an order that came along says already."""
    status = element.text("status")
    if not is_known_status(element, status, _GIVEN) or is_left_out(element, status, _GIVEN_DROPPED):
        return None
    time = moment(element, "effectiveDateTime", "effectivePeriod")
    if scope.is_other_stay(element, time):
        scope.leave_out(element, "stay", OTHER_STAY)
        return None
    ordered = scope.resources.target(element.child("request"), element)
    if ordered is not None and ordered.text("status") in ("active", "completed", "stopped"):
        return None
    found = drug(element, scope)
    if found is None:
        return None
    dosage = element.child("dosage")
    dose = amount_words(dosage.child("dose"), scope.mapping) or dosage.text("text")
    route = scope.words_of(dosage, "route")
    return Given((found.name, dose, route), element, found, time.day)


def administrations(given: list[Given], scope: Scope) -> list[Medication]:
    """One row for each drug, dose and way, from its first day to its last."""
    groups: dict[tuple[str, str, str], list[Given]] = {}
    for one in given:
        groups.setdefault(one.key, []).append(one)
    rows = []
    for (_, dose, route), ones in groups.items():
        days = sorted(one.day for one in ones if one.day)
        first = ones[0]
        rows.append(
            scope.row(
                Medication,
                first.element,
                id=scope.identifier(first.element),
                name=first.found.name,
                specification=first.found.specification,
                dose=dose,
                route=route,
                frequency=f"共给药{len(ones)}次",
                start=days[0] if days else None,
                stop=days[-1] if days else None,
            )
        )
    return [row for row in rows if row is not None]


def statement_line(element: Element, scope: Scope) -> str:
    """A line of what the patient says to take or have taken; "" for what is no fact.

    No row of the medication: that is what was ordered in the stay.
    """
    status = element.text("status")
    if not is_known_status(element, status, _SAID) or is_left_out(element, status, _SAID_DROPPED):
        return ""
    found = drug(element, scope)
    if found is None:
        return ""
    ways = [regimen(d, scope) for d in element.children("dosage")]
    said = [" ".join(part for part in (w.dose, w.route, w.frequency) if part) for w in ways]
    time = moment(element, "effectiveDateTime", "effectivePeriod", "dateAsserted")
    state = {"active": "正在使用", "completed": "曾用", "stopped": "已停用"}[status]
    parts = (written_day(time.at), f"{state}：{found.name}", "；".join(s for s in said if s))
    return " ".join(part for part in parts if part) + "。"
