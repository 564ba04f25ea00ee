"""What goes out to other systems: the region as it was measured, and its features by IBSI codes."""

from __future__ import annotations

from collections.abc import Iterator

from assistant.imaging import dicom, series
from assistant.imaging.out.source import source_of
from assistant.imaging.out.structure import (
    NO_UNIT,
    Code,
    Measurement,
    Result,
    region,
    volumes,
)
from assistant.imaging.problem import ImageProblem
from assistant.imaging.source import region_of
from assistant.record.attachment import Series
from assistant.store import Context
from assistant.store.attachments import Attachments
from assistant.tasks.radiomics.draft import MeasuredFeature, RadiomicsFeatures
from assistant.tasks.radiomics.request import RegionToMeasure
from assistant.work.resources import Resources

UNITS = {
    "": NO_UNIT,
    "mm": Code("mm", "UCUM", "millimeter"),
    "mm2": Code("mm2", "UCUM", "square millimeter"),
    "mm3": Code("mm3", "UCUM", "cubic millimeter"),
    "1/mm": Code("/mm", "UCUM", "per millimeter"),
    "HU": Code("[hnsf'U]", "UCUM", "Hounsfield unit"),
    "HU2": Code("[hnsf'U]2", "UCUM", "square Hounsfield unit"),
    "SUV": Code("g/ml{SUVbw}", "UCUM", "Standardized Uptake Value body weight"),
    "SUV2": Code("(g/ml{SUVbw})2", "UCUM", "square SUV body weight"),
}
"""UCUM's words for the units of features."""


def outcome(
    request: RegionToMeasure,
    draft: RadiomicsFeatures,
    context: Context,
    resources: Resources,
) -> Result:
    """The region on the grid of its series, with every feature that has a value.

    Raises `ImageProblem`.
    """
    attachments = resources.attachments
    datasets = list(dicom.datasets(_files(attachments, context, request.image)))
    volume = series.assemble(datasets)
    drawn = next(iter(dicom.datasets(_files(attachments, context, request.region))), None)
    if drawn is None:
        raise ImageProblem("勾画文件是空的。", "The file of the region is empty.")
    found = region_of(drawn, volume, request.roi)
    labels, structures = region(found.mask, found.name)
    measured = [_measured(one) for one in draft.features]
    return Result(
        volume,
        "影像组学 Radiomics",
        source_of(datasets, volume),
        labels,
        structures,
        [*volumes(labels, structures, volume), *(one for one in measured if one is not None)],
        draft.plain_text(),
    )


def _measured(one: MeasuredFeature) -> Measurement | None:
    if one.value is None:
        return None
    unit = UNITS.get(one.unit, Code(f"{{{one.unit}}}", "UCUM", one.unit))
    method = None
    if one.aggregation_code:
        method = Code(one.aggregation_code, "IBSI", one.aggregation)
    return Measurement(1, Code(one.code, "IBSI", one.name), one.value, unit, method)


def _files(attachments: Attachments, context: Context, one: Series) -> Iterator[bytes]:
    for _, data in attachments.contents(context, one.id):
        yield data
