"""Procedure and ServiceRequest: what was done, and what was ordered that is no drug."""

from __future__ import annotations

from assistant.interop.fhir.concept import codings, mapped, words
from assistant.interop.fhir.element import Element
from assistant.interop.fhir.moments import moment
from assistant.interop.fhir.scope import OTHER_STAY, Scope, is_known_status, is_left_out
from assistant.record.operation import Operation
from assistant.record.order import Order

_DONE_DROPPED = frozenset(
    {"entered-in-error", "not-done", "preparation", "on-hold", "stopped", "unknown"}
)
_DONE = _DONE_DROPPED | {"completed", "in-progress"}
_ORDER_DROPPED = frozenset({"entered-in-error", "draft", "unknown"})
_ORDER_STATUS = {
    "active": "active",
    "on-hold": "stopped",
    "revoked": "stopped",
    "completed": "completed",
}
_NOT_ORDERED = frozenset({"proposal", "plan", "option"})


def operation(element: Element, scope: Scope) -> Operation | None:
    """A procedure that was done or is being done."""
    status = element.text("status")
    if not is_known_status(element, status, _DONE) or is_left_out(element, status, _DONE_DROPPED):
        return None
    time = moment(element, "performedDateTime", "performedPeriod")
    if scope.is_other_stay(element, time):
        scope.leave_out(element, "stay", OTHER_STAY)
        return None
    return scope.row(
        Operation,
        element,
        id=scope.identifier(element),
        name=scope.words_of(element),
        at=time.at,
        laterality=_side(element, scope),
    )


def _side(element: Element, scope: Scope) -> str | None:
    sides = {
        side
        for site in element.children("bodySite")
        for side in (
            mapped(site, scope.mapping, "sides"),
            _side_in(words(site, scope.mapping)),
        )
        if side
    }
    if sides == {"left", "right"}:
        return "both"
    return sides.pop() if len(sides) == 1 else None


def _side_in(said: str) -> str:
    for word, side in (("双侧", "both"), ("左", "left"), ("右", "right")):
        if word in said:
            return side
    return ""


def order(element: Element, scope: Scope) -> Order | None:
    """An order that is no drug; a revoked one is ``stopped``."""
    status = element.text("status")
    known = frozenset(_ORDER_STATUS) | _ORDER_DROPPED
    if not is_known_status(element, status, known) or is_left_out(element, status, _ORDER_DROPPED):
        return None
    if element.text("intent") in _NOT_ORDERED or element.flag("doNotPerform"):
        scope.leave_out(element, "intent", "不是已下达的医嘱，未纳入。(It is no order to do it.)")
        return None
    time = moment(element, "authoredOn", "occurrenceDateTime", "occurrencePeriod")
    if scope.is_other_stay(element, time):
        scope.leave_out(element, "stay", OTHER_STAY)
        return None
    text = scope.words_of(element)
    return scope.row(
        Order,
        element,
        id=scope.identifier(element),
        kind=kind_of(element, text, scope),
        text=text,
        ordered_at=time.at,
        status=_ORDER_STATUS[status],
    )


def kind_of(element: Element, text: str, scope: Scope) -> str:
    """The kind of an order: by its category's code, else by its words."""
    for category in element.children("category"):
        for system, code, _ in codings(category):
            if found := scope.mapping.word("order_codes", system, code):
                return found
    return scope.mapping.kind("order_words", text, "other")
