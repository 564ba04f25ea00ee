"""Who made a request, in the one word that Gradio passes on: role, actor, and the patients whom a
session from the hospital's log-in is for."""

from __future__ import annotations

from assistant.store.context import Patients, bind


def written(actor_id: str, role: str, patients: Patients | None = None) -> str:
    """``doctor:d7`` or ``doctor:d7;pat-1/enc-1;pat-2/``.  No id holds ``;`` or ``/``."""
    listed = "".join(f";{patient}/{stay}" for patient, stay in patients or ())
    return f"{role}:{actor_id}{listed}"


def read(user: str | None) -> tuple[str, str] | None:
    """(actor id, role); None for nobody.

    From here on the call is bound to the patients of its session, see `assistant.store.context`.
    """
    who, *listed = (user or "").split(";")
    role, _, actor_id = who.partition(":")
    pairs = [one.partition("/") for one in listed]
    bind([(patient, stay) for patient, _, stay in pairs] if listed else None)
    return (actor_id, role) if actor_id else None
