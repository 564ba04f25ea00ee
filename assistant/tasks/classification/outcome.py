"""What goes out to other systems: the probability of each class, and the part they rest on."""

from __future__ import annotations

import re

import numpy as np

from assistant.imaging import dicom, projection
from assistant.imaging.out import structure as out
from assistant.imaging.out.source import source_of
from assistant.imaging.problem import ImageProblem
from assistant.record.attachment import PageImage
from assistant.store import Context
from assistant.tasks.classification.draft import ImageClass
from assistant.tasks.classification.heat_picture import box_mask
from assistant.tasks.classification.report import called
from assistant.tasks.classification.request import ImageToClassify
from assistant.work.resources import Resources


def outcome(
    request: ImageToClassify, draft: ImageClass, context: Context, resources: Resources
) -> out.Result:
    """Probabilities of the series, and the box of the place as its one structure.

    Raises `ImageProblem` for what is no series with places in the patient.
    """
    from assistant.imaging import series

    if isinstance(request.image, PageImage):
        raise ImageProblem(
            "图片不是 DICOM 序列，无法写出 DICOM 结果。",
            "A picture is no DICOM series; there is nothing to write a result for.",
        )
    files = resources.attachments.contents(context, request.image.id)
    datasets = list(dicom.datasets(data for _, data in files))
    if projection.is_projection(datasets):
        raise ImageProblem(
            "投影图像没有空间位置，暂不写出 DICOM 结果，请读取草稿。",
            "A projection has no place in space; read the draft instead.",
        )
    volume = series.assemble(datasets)
    labels, structures = None, []
    if draft.seen is not None:
        labels = box_mask(volume.grid.shape, draft.seen).astype(np.uint8)
        structures = [out.Structure(1, called(draft.classes[0]), category=out.ABNORMAL)]
    return out.Result(
        volume,
        "影像分类 Classification",
        source_of(datasets, volume),
        labels,
        structures,
        [
            out.Measurement(
                0,
                out.Code(_code(one.name), out.OWN_SCHEME, f"Probability of {one.name}"[:64]),
                one.probability,
                out.NO_UNIT,
            )
            for one in draft.classes
        ],
        draft.plain_text(),
    )


def _code(name: str) -> str:
    """A code of at most 16 characters, as DICOM has them."""
    import hashlib

    plain = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")
    if plain and len(plain) <= 14:
        return f"P-{plain}"
    return f"P-{hashlib.sha256(name.encode()).hexdigest()[:12]}"
