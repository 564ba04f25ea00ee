"""What goes out to other systems: the outlined lesion on the first images of the study, the values
of the report, and the task's pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from assistant.imaging import dicom
from assistant.imaging.out.source import source_of
from assistant.imaging.out.structure import (
    ABNORMAL,
    MILLILITRE,
    NO_UNIT,
    OWN_SCHEME,
    VOLUME,
    Code,
    Labels,
    Measurement,
    Result,
    Structure,
)
from assistant.imaging.volume import Volume
from assistant.store import Context
from assistant.store.attachments import Attachments
from assistant.tasks.perfusion import dicom_study
from assistant.tasks.perfusion.analysis import Analysis, analysed
from assistant.tasks.perfusion.draft import PerfusionReport
from assistant.tasks.perfusion.request import PerfusionStudy
from assistant.tasks.perfusion.result import PerfusionFindings
from assistant.tasks.perfusion.source import artery_of
from assistant.tasks.perfusion.study import restored
from assistant.work.resources import Resources

if TYPE_CHECKING:
    from pydicom import Dataset

TISSUE, MISMATCH, CORE = 1, 2, 3
STRUCTURES = (
    Structure(
        TISSUE,
        "未见低灌注的脑组织",
        Code("perfusion-tissue", OWN_SCHEME, "Brain tissue that is not hypoperfused"),
        colour=(86, 180, 233),
    ),
    Structure(
        MISMATCH,
        "低灌注区（核心以外）",
        Code("perfusion-mismatch", OWN_SCHEME, "Hypoperfused tissue without core"),
        ABNORMAL,
        (0, 158, 115),
    ),
    Structure(
        CORE,
        "梗死核心",
        Code("perfusion-core", OWN_SCHEME, "Infarct core by CBF threshold"),
        ABNORMAL,
        (204, 121, 167),
    ),
)
"""Parts that do not overlap; all that is hypoperfused is the second and the third."""

_SHOWN = ("lesion", "cbf", "cbv", "mtt", "tmax", "curves")


def outcome(
    request: PerfusionStudy, draft: PerfusionReport, context: Context, resources: Resources
) -> Result:
    """The analysis made again, since maps are not kept, with the values of the draft.

    Raises `ImageProblem`.
    """
    held = resources.attachments
    study = dicom_study.read(dicom.datasets(_files(request, context, held)), request.step_seconds)
    found = analysed(study, request.settings, artery_of(request.artery, study))
    wanted = set(study.instances)
    first = [
        one
        for one in dicom.datasets(_files(request, context, held))
        if dicom.text(one, "SOPInstanceUID") in wanted
    ]
    volume = _shown(found, first[0] if first else None)
    labels = label_map(found)
    structures = [one for one in STRUCTURES if (labels == one.number).any()]
    pictures = [
        held.content(context, draft.pictures[name])[0] for name in _SHOWN if name in draft.pictures
    ]
    return Result(
        volume,
        "脑灌注 Perfusion",
        source_of(first, volume),
        labels,
        structures,
        measurements(draft.findings, structures),
        draft.report,
        pictures=pictures,
    )


def label_map(found: Analysis) -> Labels:
    """`STRUCTURES` on the grid of the files."""
    labels = np.zeros(found.tissue.shape, np.uint8)
    labels[found.tissue] = TISSUE
    labels[found.lesion.hypoperfused] = MISMATCH
    labels[found.lesion.core] = CORE
    return restored(labels, found.study).astype(np.uint8)


def measurements(said: PerfusionFindings, structures: Sequence[Structure]) -> list[Measurement]:
    """The volumes of the parts, and what is said of the whole study."""
    parts = {
        TISSUE: said.brain_ml - said.penumbra_ml,
        MISMATCH: said.mismatch_ml,
        CORE: said.core_ml,
    }
    whole = {
        "core": ("Infarct core by CBF threshold, volume", said.core_ml, MILLILITRE),
        "hypoperfused": (
            "Hypoperfused tissue by Tmax, core included",
            said.penumbra_ml,
            MILLILITRE,
        ),
        "mismatch": ("Mismatch volume", said.mismatch_ml, MILLILITRE),
        "mismatch-ratio": ("Mismatch ratio", said.mismatch_ratio, NO_UNIT),
        "intensity-ratio": ("Hypoperfusion intensity ratio", said.hir, NO_UNIT),
    }
    return [
        *(
            Measurement(one.number, VOLUME, max(parts[one.number], 0.0), MILLILITRE)
            for one in structures
        ),
        *(
            Measurement(0, Code(f"perfusion-{key}", OWN_SCHEME, name), value, unit)
            for key, (name, value, unit) in whole.items()
            if value is not None
        ),
    ]


def _shown(found: Analysis, first: Dataset | None) -> Volume:
    """The images before contrast, as of the instances of the first time."""
    study = found.study

    def tag_text(tag: str) -> str:
        return "" if first is None else dicom.text(first, tag)

    return Volume(
        restored(found.before, study).astype(np.float32),
        study.source,
        study.modality,
        "HU" if found.is_ct else "",
        tag_text("FrameOfReferenceUID"),
        study.instances,
        tag_text("SeriesInstanceUID"),
    )


def _files(request: PerfusionStudy, context: Context, attachments: Attachments) -> Iterator[bytes]:
    for one in request.attachments:
        for _, data in attachments.contents(context, one.id):
            yield data
