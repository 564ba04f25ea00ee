"""A label map as DICOM SEG: one binary segment a structure, on the frames of the source."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from assistant.imaging.out.coding import FAMILY, concept
from assistant.imaging.out.marking import (
    MANUFACTURER,
    SERIES_NUMBERS,
    described,
    mark,
    software,
    uid,
)
from assistant.imaging.out.source import Source
from assistant.imaging.out.structure import Labels, Structure, checked
from assistant.imaging.volume import Volume

if TYPE_CHECKING:
    from pydicom import Dataset


def segmentation(
    volume: Volume,
    source: Source,
    labels: Labels,
    structures: Sequence[Structure],
    title: str,
    seed: str = "",
) -> Dataset:
    """The SEG of ``labels`` [slice, row, column]; segment n is the n-th of ``structures``.

    Raises `ImageProblem` for labels that are not of this image.
    """
    import highdicom as hd

    checked(labels, structures, volume)
    order = np.zeros(max(one.number for one in structures) + 1, np.uint16)
    for place, one in enumerate(structures, start=1):
        order[one.number] = place
    step, rows, columns = volume.grid.spacing
    made: Dataset = hd.seg.Segmentation(
        source_images=list(source.headers),
        pixel_array=order[labels],
        segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=[_described(one, n) for n, one in enumerate(structures, start=1)],
        series_instance_uid=series_uid(seed),
        series_number=SERIES_NUMBERS["SEG"],
        sop_instance_uid=uid(seed, "seg"),
        instance_number=1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=MANUFACTURER,
        software_versions=software(),
        device_serial_number="0",
        content_label="SEGMENTATION",
        content_description=described(title),
        pixel_measures=hd.PixelMeasuresSequence(
            pixel_spacing=(rows, columns), slice_thickness=step, spacing_between_slices=step
        ),
        specific_character_set="ISO_IR 192",
    )
    mark(made, source, title)
    return made


def series_uid(seed: str) -> str:
    """The series of the segmentation that is made with this ``seed``."""
    return uid(seed, "seg", "series")


def _described(one: Structure, place: int) -> Dataset:
    import highdicom as hd

    made: Dataset = hd.seg.SegmentDescription(
        segment_number=place,
        segment_label=one.name[:64],
        segmented_property_category=concept(one.category),
        segmented_property_type=concept(one.type_code),
        algorithm_type=hd.seg.SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=hd.AlgorithmIdentificationSequence(
            name=MANUFACTURER,
            version=software(),
            family=concept(FAMILY),
        ),
        display_color=hd.color.CIELabColor.from_rgb(*one.shown),
    )
    return made
