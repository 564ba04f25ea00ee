"""A picture as a secondary capture, so that any viewer of the hospital shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant.imaging.out.marking import MANUFACTURER, SERIES_NUMBERS, described, mark, uid
from assistant.imaging.out.montage import Picture
from assistant.imaging.out.source import Source

if TYPE_CHECKING:
    from pydicom import Dataset


def capture(
    source: Source, picture: Picture, title: str, seed: str = "", number: int = 1
) -> Dataset:
    """The secondary capture of ``picture``, which has the notice already (see `montage.noticed`).

    ``number`` tells the pictures of one result apart.
    """
    import highdicom as hd
    from pydicom.uid import ExplicitVRLittleEndian

    first = source.first
    made: Dataset = hd.sc.SCImage(
        pixel_array=picture,
        photometric_interpretation="RGB",
        bits_allocated=8,
        coordinate_system="PATIENT",
        patient_orientation=("L", "P"),
        study_instance_uid=first.StudyInstanceUID,
        series_instance_uid=uid(seed, "sc", "series"),
        series_number=SERIES_NUMBERS["OT"],
        sop_instance_uid=uid(seed, "sc", str(number)),
        instance_number=number,
        manufacturer=MANUFACTURER,
        transfer_syntax_uid=ExplicitVRLittleEndian,
        specific_character_set="ISO_IR 192",
        series_description=described(title),
    )
    mark(made, source, title)
    # What is burnt in says what the picture is for, not who the patient is.
    made.BurnedInAnnotation = "NO"
    made.ImageComments = described(title)
    return made
