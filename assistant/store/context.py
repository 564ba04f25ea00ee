"""Who is asking, and for which patient."""

from __future__ import annotations

from dataclasses import dataclass

from assistant.store.errors import InvalidArgument

MAX_ID_LENGTH = 128


def check_id(name: str, value: str) -> None:
    """Refuse an identifier that is too long or holds control characters."""
    if len(value) > MAX_ID_LENGTH:
        raise InvalidArgument(f"{name} is longer than {MAX_ID_LENGTH} characters.")
    if not value.isprintable():
        raise InvalidArgument(f"{name} holds characters that cannot be printed.")


@dataclass(frozen=True, slots=True)
class Context:
    """The actor of a call and the patient and encounter that it is about.

    ``encounter_id`` may be empty (an outpatient question without an encounter).  ``patient_id`` is
    empty for what concerns no patient; such objects are then visible to their own actor only.

    Raises `InvalidArgument` for an identifier that is empty where it must not be, is longer than
    128 characters or is not printable.
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

    @classmethod
    def operator(cls, actor_id: str, actor_role: str = "operator") -> Context:
        """A context without a patient: for administration and exports."""
        return cls(actor_id, actor_role, "")


SYSTEM = Context.operator("system", "system")
