"""FHIR resources of one stay, read."""

from __future__ import annotations

from typing import Any

import fhir_samples as made

from assistant.interop.fhir.incoming import Incoming, read_resources


def read(*resources: Any) -> Incoming:
    return read_resources([made.bundle(made.patient(), made.stay(), *resources)], "p1", "e1")


def codes(found: Incoming, resource: str) -> set[str]:
    return {p.code for p in found.problems if p.resource == resource}


def whole_text(found: Incoming) -> str:
    return "\n".join(note.text for note in found.encounter.all_notes())
