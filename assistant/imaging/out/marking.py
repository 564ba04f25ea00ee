"""What every object of ours says of itself: who made it, and that it is for research."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING
from uuid import NAMESPACE_OID, uuid4, uuid5

from assistant.imaging.out.source import MORE, PATIENT, STUDY, UTF8, Source

if TYPE_CHECKING:
    from pydicom import Dataset

MANUFACTURER = "Bedside"
RESEARCH = "科研用途 Research only"
SERIES_NUMBERS = {"SEG": 9001, "RTSTRUCT": 9002, "SR": 9003, "OT": 9004}
"""Far from those of a scanner."""


def software() -> str:
    """The version, as kept in ``SoftwareVersions``."""
    return version("bedside")


def uid(seed: str, *what: str) -> str:
    """A UID; the same for the same ``seed``, another each time where that is empty."""
    made = uuid5(NAMESPACE_OID, "\0".join((seed, *what))) if seed else uuid4()
    # PS3.5 B.2: a UUID as a UID.
    return f"2.25.{made.int}"


def described(title: str) -> str:
    """The description of a series of ours: at most 64 characters, as LO has it."""
    return f"{RESEARCH}: {title}"[:64].replace("\\", " ")


def mark(made: Dataset, source: Source, title: str) -> None:
    """Patient and study of the source, and that this was generated and is for research."""
    for name in (*PATIENT, *STUDY, *MORE):
        if name in source.first:
            setattr(made, name, getattr(source.first, name))
    made.SpecificCharacterSet = UTF8
    made.SeriesDescription = described(title)
    made.ContentQualification = "RESEARCH"
    made.Manufacturer = MANUFACTURER
    made.ManufacturerModelName = MANUFACTURER
    made.SoftwareVersions = software()
