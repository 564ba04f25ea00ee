"""Measurements as a structured report by TID 1500, each bound to its segment of the SEG."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from assistant.imaging.out.coding import concept
from assistant.imaging.out.marking import (
    MANUFACTURER,
    SERIES_NUMBERS,
    described,
    mark,
    software,
    uid,
)
from assistant.imaging.out.source import Source
from assistant.imaging.out.structure import Code, Measurement, Structure
from assistant.imaging.problem import ImageProblem

if TYPE_CHECKING:
    from pydicom import Dataset

_CHINESE = Code("zh-CN", "RFC5646", "Chinese (China)")
_IMAGING = Code("363679005", "SCT", "Imaging")


def measurement_report(
    source: Source,
    structures: Sequence[Structure],
    measurements: Sequence[Measurement],
    title: str,
    segmentation: Dataset | None = None,
    seed: str = "",
) -> Dataset:
    """A group of measurements for each structure that has any, and one for the whole series.

    With ``segmentation`` (the SEG of these structures) each group names its segment.  Nobody has
    verified the report, and it says so.  Raises `ImageProblem` where nothing was measured.
    """
    import highdicom as hd
    from pydicom.sr.codedict import codes

    groups = _groups(source, structures, measurements, segmentation, seed)
    if not groups:
        raise ImageProblem(
            "该结果没有任何测量值，不能生成结构化报告，请改用其他形式。",
            "Nothing was measured, so there is no structured report; choose another form.",
        )
    device = uid("bedside", "device")
    observer = hd.sr.ObserverContext(
        observer_type=codes.DCM.Device,
        observer_identifying_attributes=hd.sr.DeviceObserverIdentifyingAttributes(
            uid=device, name=MANUFACTURER, manufacturer_name=MANUFACTURER
        ),
    )
    report = hd.sr.MeasurementReport(
        observation_context=hd.sr.ObservationContext(observer_device_context=observer),
        procedure_reported=concept(_IMAGING),
        imaging_measurements=groups,
        title=codes.DCM.ImagingMeasurementReport,
        language_of_content_item_and_descendants=hd.sr.LanguageOfContentItemAndDescendants(
            concept(_CHINESE)
        ),
    )
    made: Dataset = hd.sr.Comprehensive3DSR(
        evidence=[*source.headers, *([segmentation] if segmentation is not None else [])],
        content=report[0],
        series_instance_uid=uid(seed, "sr", "series"),
        series_number=SERIES_NUMBERS["SR"],
        sop_instance_uid=uid(seed, "sr"),
        instance_number=1,
        manufacturer=MANUFACTURER,
        is_complete=True,
        is_final=False,
        is_verified=False,
        specific_character_set="ISO_IR 192",
        series_description=described(title),
    )
    mark(made, source, title)
    return made


def _groups(
    source: Source,
    structures: Sequence[Structure],
    measurements: Sequence[Measurement],
    segmentation: Dataset | None,
    seed: str,
) -> list[Any]:
    import highdicom as hd

    groups = []
    for place, one in enumerate(structures, start=1):
        values = _values(measurements, one.number)
        if not values:
            continue
        about: dict[str, Any] = {
            "tracking_identifier": hd.sr.TrackingIdentifier(
                uid(seed, "finding", str(one.number)), one.name
            ),
            "finding_type": concept(one.type_code),
            "finding_category": concept(one.category),
            "measurements": values,
        }
        if segmentation is None:
            groups.append(hd.sr.MeasurementsAndQualitativeEvaluations(**about))
            continue
        about["referenced_segment"] = hd.sr.ReferencedSegment(
            sop_class_uid=segmentation.SOPClassUID,
            sop_instance_uid=segmentation.SOPInstanceUID,
            segment_number=place,
            source_series=hd.sr.SourceSeriesForSegmentation(source.first.SeriesInstanceUID),
        )
        about["algorithm_id"] = hd.sr.AlgorithmIdentification(MANUFACTURER, software())
        groups.append(hd.sr.VolumetricROIMeasurementsAndQualitativeEvaluations(**about))
    if whole := _values(measurements, 0):
        groups.append(
            hd.sr.MeasurementsAndQualitativeEvaluations(
                tracking_identifier=hd.sr.TrackingIdentifier(uid(seed, "finding", "0"), "series"),
                measurements=whole,
            )
        )
    return groups


def _values(measurements: Sequence[Measurement], number: int) -> list[Any]:
    import highdicom as hd

    return [
        hd.sr.Measurement(
            name=concept(one.name),
            value=float(one.value),
            unit=concept(one.unit),
            method=concept(one.method) if one.method else None,
        )
        for one in measurements
        if one.number == number
    ]
