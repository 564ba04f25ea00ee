"""Whose message it is, and of which stay."""

from __future__ import annotations

import re
from dataclasses import dataclass

from assistant.interop.hl7.message import Message, Segment
from assistant.interop.hl7.table import rows

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")


class IdentityMissing(ValueError):
    """The message does not say whose it is; ``field`` is where it should."""

    def __init__(self, field: str) -> None:
        super().__init__(
            f"{field} 没有可用的编号（字母数字开头，64 字符以内）。"
            f"({field} has no usable id: letters and digits, 64 characters at most.)"
        )
        self.field = field


@dataclass(frozen=True, slots=True)
class Identity:
    """The patient and the stay; ``prior`` is the patient that a merge ends."""

    patient_id: str
    encounter_id: str = ""
    prior_id: str = ""


def identity(message: Message) -> Identity:
    """The patient of PID-3, the stay of PV1-19, else PID-18.  Raises `IdentityMissing`."""
    pid = message.first("PID")
    patient = patient_of(pid) if pid is not None else ""
    if not _ID.fullmatch(patient):
        raise IdentityMissing("PID-3")
    visit = message.first("PV1")
    stay = visit.text(19) if visit is not None else ""
    stay = stay or (pid.text(18) if pid is not None else "")
    if stay and not _ID.fullmatch(stay):
        raise IdentityMissing("PV1-19")
    if message.code in ("ADT", "MDM") and message.trigger not in ("A31", "A40") and not stay:
        raise IdentityMissing("PV1-19")
    prior = ""
    if message.trigger == "A40":
        merged = message.first("MRG")
        prior = merged.text(1) if merged is not None else ""
        if not _ID.fullmatch(prior) or prior == patient:
            raise IdentityMissing("MRG-1")
    return Identity(patient, stay, prior)


def patient_of(pid: Segment) -> str:
    """The patient's id among those of PID-3, else PID-2."""
    order: list[str] = rows()["patient_identifiers"]
    found = [(one.text(1), one.text(5)) for one in pid.repetitions(3)]
    found = [(value, kind) for value, kind in found if value]
    found.sort(key=lambda pair: order.index(pair[1]) if pair[1] in order else len(order))
    return found[0][0] if found else pid.text(2)
