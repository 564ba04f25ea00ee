"""What of HL7 v2 is read, as a table."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import yaml


@cache
def rows() -> dict[str, Any]:
    """The tables of ``data/segments.yaml``."""
    place = files("assistant.interop.hl7") / "data" / "segments.yaml"
    found: dict[str, Any] = yaml.safe_load(place.read_text("utf-8"))
    return found


def event_of(kind: str) -> str:
    """The record event of a message such as ``ADT^A01``; "" where it is not taken."""
    return str(rows()["messages"].get(kind, ""))
