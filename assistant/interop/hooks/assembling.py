"""The resources of a call → the record, and which of its rows are not ordered yet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

from assistant.alerts.chart import Chart
from assistant.interop.fhir.incoming import read_orders, read_resources
from assistant.interop.fhir.mapping import Mapping
from assistant.interop.hooks.fetching import Resource
from assistant.interop.hooks.gathering import Id, flat, id_of, is_of
from assistant.interop.hooks.message import HookContext
from assistant.interop.hooks.refusal import DataMissing, HookRefused, PrefetchOfAnother
from assistant.record.encounter import Encounter
from assistant.record.note import Note, NoteKind

_UNNAMED = "unnamed-draft-"
NOTE_KINDS: tuple[tuple[str, NoteKind], ...] = (
    ("首次病程", "first_progress"),
    ("入院", "admission"),
    ("手术", "operation"),
    ("会诊", "consultation"),
    ("出院", "discharge_day"),
    ("护理", "nursing"),
    ("病程", "progress"),
    ("查房", "progress"),
)
_KINDS = frozenset(
    {"admission", "first_progress", "progress", "operation", "consultation", "discharge_day",
     "nursing", "other"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Assembled:
    """The record; ``orders`` are the references of draft orders by the id of their row.

    ``chart`` is what is known of it, where the call changes nothing of that.
    """

    encounter: Encounter
    orders: dict[str, str]
    note: Note | None = None
    chart: Chart | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """A chart that came before: its key, the ids of its resources, and the products among them,
    which draft orders may refer to."""

    key: str
    ids: frozenset[Id]
    products: Sequence[Resource]

    @classmethod
    def of(cls, key: str, chart: Sequence[Resource]) -> Self:
        """What is kept of a chart."""
        products = [one for one in chart if one.get("resourceType") == "Medication"]
        return cls(key, frozenset(map(id_of, chart)), products)

    def has_any(self, orders: Sequence[Resource]) -> bool:
        """Whether one of the orders is in the chart."""
        return any(id_of(order) in self.ids for order in orders)


def note_kind(told: str) -> NoteKind:
    """The kind of note that a client's ``noteType`` means: one of ours, or a Chinese title."""
    if told in _KINDS:
        return told  # type: ignore[return-value]
    return next((kind for words, kind in NOTE_KINDS if words in told), "other")


def drafts_of(context: HookContext) -> list[Resource]:
    """The draft orders of a call, as orders in force: the selected ones, where it says which.

    Raises `PrefetchOfAnother`, `HookRefused`.
    """
    bundle = context.draftOrders
    if bundle is None:
        return []
    if bundle.get("resourceType") != "Bundle":
        raise HookRefused("draftOrders 应为 Bundle。(draftOrders should be a Bundle.)")
    orders = list(flat(bundle))
    if not all(is_of(order, context.patientId) for order in orders):
        raise PrefetchOfAnother
    # One that has no id yet is checked all the same; only nothing can be suggested about it.
    return [
        {**order, "status": "active", "id": order.get("id") or f"{_UNNAMED}{number}"}
        for number, order in enumerate(orders)
    ]


def references(orders: Iterable[Resource], selections: Sequence[str] | None) -> dict[str, str]:
    """Id → relative reference of the orders (that are selected); "" for one without an id."""
    found = {
        str(o["id"]): ""
        if str(o["id"]).startswith(_UNNAMED)
        else f"{o.get('resourceType')}/{o['id']}"
        for o in orders
    }
    return {k: r for k, r in found.items() if selections is None or r in selections}


def without(resources: Sequence[Resource], orders: Sequence[Resource]) -> Sequence[Resource]:
    """The chart: the resources of a call without those of its draft orders."""
    own = {id_of(order) for order in orders}
    return [resource for resource in resources if id_of(resource) not in own]


def read_chart(
    chart: Sequence[Resource], patient_id: str, encounter_id: str | None, mapping: Mapping
) -> Chart | None:
    """The record as its resources tell it; None where the patient has no stay that it could be
    about.

    Raises `DataMissing`.
    """
    try:
        encounter = read_resources(chart, patient_id, encounter_id or "", mapping).encounter
    except ValueError as error:
        if encounter_id is None:
            # A chart that is opened without a stay.
            return None
        raise DataMissing(
            "没有取到这次就诊，或资源无法读取。(The encounter could not be had, or the resources "
            "cannot be read.)"
        ) from error
    if encounter.patient.id != patient_id:
        raise DataMissing("读到的不是该患者。(What was read is not this patient.)")
    return Chart(encounter)


def assemble(
    read: Chart,
    products: Sequence[Resource],
    orders: Sequence[Resource],
    context: HookContext,
    mapping: Mapping,
) -> Assembled:
    """The record of the call: the chart with the draft orders and the note of the context.

    ``products`` are what the orders may refer to.
    """
    chart, changes = read.encounter, dict[str, Any]()
    note = _note(context)
    if note is not None:
        others = [n for n in chart.notes if n.id != note.id]
        changes["notes"] = [*others, note]
    if context.department:
        changes["department"] = context.department
    rows: dict[str, str] = {}
    if orders:
        drugs, ordered = read_orders([*products, *orders], chart, mapping)
        changes["medications"] = [*chart.medications, *drugs]
        changes["orders"] = [*chart.orders, *ordered]
        rows = {
            row.id: reference
            for row in drugs
            for key, reference in references(orders, context.selections).items()
            if row.id == key or row.id.startswith((f"{key}.", f"{key}-"))
        }
    record = chart.model_copy(update=changes) if changes else chart
    return Assembled(record, rows, note, read if note is None else None)


def _note(context: HookContext) -> Note | None:
    if not context.noteText or not context.noteId:
        return None
    return Note(
        id=context.noteId,
        kind=note_kind(context.noteType or ""),
        title=context.noteTitle or context.noteType or "",
        text=context.noteText,
    )
