"""Who is asking, and for which patient."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass

from assistant.store.errors import InvalidArgument, PatientNotInSession

MAX_ID_LENGTH = 128


def check_id(name: str, value: str) -> None:
    """Refuse an identifier that is too long or holds control characters."""
    if len(value) > MAX_ID_LENGTH:
        raise InvalidArgument(f"{name} is longer than {MAX_ID_LENGTH} characters.")
    if not value.isprintable():
        raise InvalidArgument(f"{name} holds characters that cannot be printed.")


Patients = Sequence[tuple[str, str]]
"""(patient, stay) each; an empty stay stands for all of the patient's."""

_bound: ContextVar[Patients | None] = ContextVar("bound", default=None)


def bind(patients: Patients | None) -> None:
    """From here on, in this task and what it begins, only these patients may be asked about.

    It stands behind all checks of the pages and routes: a call that forgot one is refused all the
    same.  None: whoever the caller may see.
    """
    _bound.set(patients)


def bound() -> Patients | None:
    """The patients of this call, the one of the launch first; None where it is not tied to any."""
    return _bound.get()


def is_within(patients: Patients, patient_id: str, encounter_id: str) -> bool:
    """Whether the patient, and the stay where one is named, is among these."""
    return any(
        patient_id == patient and (not encounter_id or not stay or encounter_id == stay)
        for patient, stay in patients
    )


@dataclass(frozen=True, slots=True)
class Context:
    """The actor of a call and the patient and encounter that it is about.

    ``encounter_id`` may be empty (an outpatient question without an encounter).  ``patient_id`` is
    empty for what concerns no patient; such objects are then visible to their own actor only.

    Raises `InvalidArgument` for an identifier that is empty where it must not be, is longer than
    128 characters or is not printable, `PatientNotInSession` for a patient whom the session of
    this call is not for (see `bind`).
    """

    actor_id: str
    actor_role: str
    patient_id: str
    encounter_id: str = ""

    def __post_init__(self) -> None:
        for name in ("actor_id", "actor_role", "patient_id", "encounter_id"):
            check_id(name, getattr(self, name))
        if not self.actor_id:
            raise InvalidArgument("actor_id is empty: every call needs to say who makes it.")
        if self.encounter_id and not self.patient_id:
            raise InvalidArgument("An encounter_id without a patient_id says nothing.")
        patients = _bound.get()
        tied = patients is not None and self.patient_id != ""
        if tied and not is_within(patients or (), self.patient_id, self.encounter_id):
            raise PatientNotInSession

    @classmethod
    def operator(cls, actor_id: str, actor_role: str = "operator") -> Context:
        """A context without a patient: for administration and exports."""
        return cls(actor_id, actor_role, "")


SYSTEM = Context.operator("system", "system")
