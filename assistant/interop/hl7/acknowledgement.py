"""ACK messages (HL7 v2.5.1, 2.9.2 and 2.9.3): accepted, not for now, or never."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from assistant.interop.hl7.message import Message, Separators
from assistant.store.identifier import new_id

Outcome = Literal["accept", "error", "reject"]
_LETTERS = {"accept": "A", "error": "E", "reject": "R"}

SEGMENT_MISSING, FIELD_MISSING, BAD_DATA = "100", "101", "102"
NOT_THIS_TYPE, NOT_THIS_EVENT, NOT_THIS_MODE = "200", "201", "202"
DUPLICATE, INTERNAL = "205", "207"
"""Codes of HL7 table 0357."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered: ``error`` may pass when it is sent again, ``reject`` never does."""

    outcome: Outcome
    code: str = "0"
    detail: str = ""


ACCEPTED = Answer("accept")


def acknowledgement(message: Message | None, answer: Answer, now: datetime) -> bytes:
    """The ACK in the encoding of the message, without a frame.

    A sender that asks for commit acknowledgements (MSH-15) gets CA, CE or CR.
    """
    separators = message.header.separators if message else Separators()
    mode = "C" if message and message.header.text(15) else "A"
    code = mode + _LETTERS[answer.outcome]
    field = separators.field
    marks = "".join(
        mark
        for mark in (
            separators.component,
            separators.repetition,
            separators.escape,
            separators.subcomponent,
        )
        if mark != "\0"
    )
    header = message.header if message else None
    trigger = message.trigger if message else ""
    type_ = separators.component.join(("ACK", trigger, "ACK") if trigger else ("ACK",))
    msh = [
        "MSH",
        marks,
        header.raw(5) if header else "BEDSIDE",
        header.raw(6) if header else "",
        header.raw(3) if header else "",
        header.raw(4) if header else "",
        f"{now:%Y%m%d%H%M%S}",
        "",
        type_,
        new_id().replace("-", "")[:20],
        (header.raw(11) if header else "") or "P",
        (header.raw(12) if header else "") or "2.5.1",
        *[""] * 5,
        header.raw(18) if header else "UNICODE UTF-8",
    ]
    detail = escaped(answer.detail, separators)
    lines = [
        field.join(msh),
        field.join(("MSA", code, header.raw(10) if header else "", detail)).rstrip(field),
    ]
    if answer.outcome != "accept":
        kind = separators.component.join((answer.code, detail, "HL70357"))
        lines.append(field.join(("ERR", "", "", kind, "E", "", "", "", detail)))
    text = "\r".join(lines) + "\r"
    return text.encode(message.codec if message else "utf-8", "replace")


def escaped(text: str, separators: Separators) -> str:
    """The text with its separators escaped, in one line."""
    mark = separators.escape
    if mark == "\0":
        return " ".join(text.split())
    replaced = text.replace(mark, f"{mark}E{mark}")
    for letter, character in (
        ("F", separators.field),
        ("S", separators.component),
        ("R", separators.repetition),
        ("T", separators.subcomponent),
    ):
        if character != "\0":
            replaced = replaced.replace(character, f"{mark}{letter}{mark}")
    return " ".join(replaced.split())
