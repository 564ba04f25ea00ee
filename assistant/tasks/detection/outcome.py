"""What goes out to other systems: each nodule as a segment with its sizes.

A scan in which none was found goes out as a count of 0: silence would look like a failure.
"""

from __future__ import annotations

import numpy as np

from assistant.imaging import dicom, projection, series
from assistant.imaging.out.source import Source, source_of
from assistant.imaging.out.structure import (
    ABNORMAL,
    MILLILITRE,
    NO_UNIT,
    OWN_SCHEME,
    VOLUME,
    Code,
    Measurement,
    Result,
    Structure,
)
from assistant.imaging.problem import ImageProblem
from assistant.imaging.volume import Volume
from assistant.store import Context
from assistant.tasks.detection.draft import Detection, Detections
from assistant.tasks.detection.marking import mask_of
from assistant.tasks.detection.marks_report import called
from assistant.tasks.detection.nodules import nodules
from assistant.tasks.detection.report import label
from assistant.tasks.detection.request import ScanToSearch
from assistant.work.resources import Resources

NODULE = Code("27925004", "SCT", "Nodule")
MILLIMETRE = Code("mm", "UCUM", "millimeter")
HOUNSFIELD = Code("[hnsf'U]", "UCUM", "Hounsfield unit")
LONG_AXIS = Code("103339001", "SCT", "Long axis")
SHORT_AXIS = Code("103340004", "SCT", "Short axis")
ATTENUATION = Code("112031", "DCM", "Attenuation Coefficient")
MEAN = Code("373098007", "SCT", "Mean")
SCORE = Code("nodule-score", OWN_SCHEME, "Score of the classifier")
FOUND = Code("mark-count", OWN_SCHEME, "Boxes found")
COUNT = Code("nodule-count", OWN_SCHEME, "Candidate nodules found")


def outcome(
    request: ScanToSearch, draft: Detections, context: Context, resources: Resources
) -> Result:
    """The nodules of the draft, outlined anew on the grid of their series; of a model's marks the
    boxes.

    A draft without nodules has no label map.  Raises `ImageProblem`.
    """
    files = resources.attachments.contents(context, request.image.id)
    datasets = list(dicom.datasets(data for _, data in files))
    if request.model and (not datasets or projection.is_projection(datasets)):
        raise ImageProblem(
            "图像没有空间位置，暂不写出 DICOM 结果，请读取草稿。",
            "The image has no place in space; read the draft instead.",
        )
    volume = series.assemble(datasets)
    if request.model:
        return _of_marks(draft, volume, source_of(datasets, volume))
    labels = None
    detections: list[Detection] = []
    if draft.detections:
        detections, masks = nodules(volume, lambda done, total, what: None, request.threshold)
        labels = np.zeros(volume.grid.shape, np.uint8)
        for one, mask in zip(detections, masks, strict=True):
            labels[mask] = one.number
    count = Measurement(0, COUNT, float(len(detections)), NO_UNIT)
    return Result(
        volume,
        "肺结节检出 Nodules",
        source_of(datasets, volume),
        labels,
        [Structure(one.number, label(one), NODULE, ABNORMAL) for one in detections],
        [count, *(value for one in detections for value in _measured(one))],
        draft.plain_text(),
    )


def _of_marks(draft: Detections, volume: Volume, source: Source | None) -> Result:
    labels = np.zeros(volume.grid.shape, np.uint16) if draft.marks else None
    for one in reversed(draft.marks):
        # The likeliest lies over the others.
        assert labels is not None
        labels[mask_of(one, volume.grid.shape)] = one.number
    return Result(
        volume,
        "检出 Detection",
        source,
        labels,
        [Structure(one.number, called(one), category=ABNORMAL) for one in draft.marks],
        [
            Measurement(0, FOUND, float(len(draft.marks)), NO_UNIT),
            *(Measurement(one.number, SCORE, one.score, NO_UNIT) for one in draft.marks),
        ],
        draft.plain_text(),
    )


def _measured(one: Detection) -> list[Measurement]:
    return [
        Measurement(one.number, LONG_AXIS, one.long_mm, MILLIMETRE),
        Measurement(one.number, SHORT_AXIS, one.short_mm, MILLIMETRE),
        Measurement(one.number, VOLUME, one.volume_mm3 / 1000, MILLILITRE),
        Measurement(one.number, ATTENUATION, one.mean_hu, HOUNSFIELD, MEAN),
        Measurement(one.number, SCORE, one.score, NO_UNIT),
    ]
