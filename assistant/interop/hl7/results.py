"""ORU^R01: results, a row each; and reports, a note each."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from assistant.interop.charset import decoded
from assistant.interop.fhir.mapping import Mapping
from assistant.interop.fhir.narrative import text_of
from assistant.interop.hl7.message import NULL, Message, Segment, moment
from assistant.interop.hl7.table import rows

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")


@dataclass(frozen=True, slots=True)
class Result:
    """One OBX as it stands; ``key`` is the same in a later message about the same result.

    ``removed``: it is deleted or was wrong, and takes what was there before with it.
    """

    key: str
    name: str
    value: str = ""
    unit: str = ""
    reference: str = ""
    flag: str = ""
    at: datetime | None = None
    pending: bool = False
    removed: bool = False


@dataclass(frozen=True)
class Report:
    """The lines of text under one OBR."""

    key: str
    title: str
    at: datetime | None
    early: bool
    lines: list[str] = field(default_factory=list)
    removed: bool = False


def identifier(key: str) -> str:
    """An id of the record for a result's or a document's key."""
    if _ID.fullmatch(key):
        return key
    return f"hl7.{hashlib.sha256(key.encode()).hexdigest()[:24]}"


def named(segment: Segment, number: int, mapping: Mapping) -> str:
    """The words of a coded field: its text, the table's name for its code, its alternate text, its
    code."""
    one = segment.repetitions(number)[0]
    code, text, system, alternate = one.text(1), one.text(2), one.text(3), one.text(5)
    chinese = next((t for t in (text, alternate) if t and not t.isascii()), "")
    known = mapping.name(_SYSTEMS.get(system, system), code) if code else ""
    return chinese or known or text or alternate or code


_MARKUP = ("<html", "<!doctype", "<div")
_SYSTEMS = {"LN": "http://loinc.org"}


def results(message: Message, mapping: Mapping) -> tuple[list[Result], list[Report]]:
    """(rows, reports) of a message, in its order."""
    found: list[Result] = []
    reports: list[Report] = []
    for order, observed in _groups(message):
        place = _order_key(order, message)
        title = named(order, 4, mapping) if order else ""
        at = moment(order.text(7)) or moment(order.text(22)) if order else None
        lines: list[str] = []
        states = set()
        for obx in observed:
            state = obx.text(11).upper() or "F"
            if _is_text(obx):
                states.add(state)
                if state not in rows()["removed"]:
                    lines.extend(_lines(obx, mapping, title))
                continue
            found.append(_result(obx, place, at, state, mapping))
        if states:
            gone = states <= set(rows()["removed"])
            early = bool(states & set(rows()["early"]))
            reports.append(Report(place, title, at, early, lines, gone))
    return found, reports


def is_final(message: Message) -> bool:
    """Whether any of its results is final or corrected."""
    states = {s.text(11).upper() or "F" for s in message.segments() if s.name == "OBX"}
    return bool(states & set(rows()["final"]))


def _groups(message: Message) -> Iterator[tuple[Segment | None, list[Segment]]]:
    """Each OBR with the OBX under it."""
    order: Segment | None = None
    observed: list[Segment] = []
    for one in message.segments():
        if one.name == "OBR":
            if observed:
                yield order, observed
            order, observed = one, []
        elif one.name == "OBX":
            observed.append(one)
    if observed:
        yield order, observed


def _order_key(order: Segment | None, message: Message) -> str:
    """What names the order in every message about it: the filler's number, else the placer's."""
    if order is None:
        return message.control_id
    return order.text(3) or order.text(2) or message.control_id


def _is_text(obx: Segment) -> bool:
    kind = obx.text(2).upper()
    return kind in ("TX", "FT", "ED") or (kind == "ST" and len(obx.raw(5)) > 200)


def _lines(obx: Segment, mapping: Mapping, title: str) -> Iterator[str]:
    """The text of one OBX under its name, unless that is the report's own."""
    text = content(obx)
    name = named(obx, 3, mapping)
    if text:
        yield f"{name}：{text}" if name and name != title and not text.startswith(name) else text


def content(obx: Segment) -> str:
    """The text of an OBX; of ED, base64 of a text; "" for a PDF and the like."""
    if obx.text(2).upper() != "ED":
        text = obx.whole(5)
        return text_of(text) if text.lower().startswith(_MARKUP) else text
    one = obx.repetitions(5)[0]
    kind, encoding, data = one.text(2).lower(), one.text(4).lower(), one.text(5)
    if kind not in ("text", "tx", "ft", "") or not data:
        return ""
    return _decoded(data) if encoding == "base64" else data


def _decoded(data: str) -> str:
    try:
        found = decoded(base64.b64decode("".join(data.split()), validate=True))
    except (binascii.Error, ValueError):
        return ""
    return found[0].strip() if found else ""


def _result(obx: Segment, place: str, at: datetime | None, state: str, mapping: Mapping) -> Result:
    name = named(obx, 3, mapping)
    key = ".".join((place, obx.text(3) or name, obx.text(4))).rstrip(".")
    value = _value(obx)
    table = rows()
    removed = state in table["removed"] or (not value and state in table["final"])
    return Result(
        key=key,
        name=name,
        value=value,
        unit=mapping.unit(obx.text(6, 2) or obx.text(6)),
        reference=obx.text(7),
        flag=next((f for one in obx.repetitions(8) if (f := mapping.flag(one.text(1)))), ""),
        at=moment(obx.text(14)) or at,
        pending=state not in table["final"],
        removed=removed or not name,
    )


def _value(obx: Segment) -> str:
    kind = obx.text(2).upper()
    if obx.raw(5) == NULL:
        return ""
    if kind == "SN":
        parts = [obx.text(5, n) for n in range(1, 5)]
        return "".join(parts)
    if kind in ("CE", "CWE", "CNE", "CF"):
        return obx.text(5, 2) or obx.text(5, 1)
    return "、".join(t for one in obx.repetitions(5) if (t := one.text(1)))
