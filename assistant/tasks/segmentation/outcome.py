"""What goes out to other systems: the label map on its series, with the volumes."""

from __future__ import annotations

from assistant.imaging import dicom, series
from assistant.imaging.out import structure as out
from assistant.imaging.out.source import source_of
from assistant.store import Context
from assistant.tasks.segmentation.draft import ImageSegmentation
from assistant.tasks.segmentation.request import ImageToSegment
from assistant.tasks.segmentation.results import Results
from assistant.tasks.segmentation.segmenting import open_segmenter
from assistant.work.resources import Resources


def outcome(
    request: ImageToSegment, draft: ImageSegmentation, context: Context, resources: Resources
) -> out.Result:
    """The segmentation as it was kept, or made again.  Raises `ImageProblem`."""
    files = resources.attachments.contents(context, request.image.id)
    datasets = list(dicom.datasets(data for _, data in files))
    volume = series.assemble(datasets)
    results = resources.shared("segmentation.results", Results)
    found = results.get(request.image.sha256, request.model)
    if found is None:
        segmenter = resources.shared(
            f"segmentation.{request.model}",
            lambda: open_segmenter(request.model, resources.settings.home),
        )
        found = segmenter.segment(volume)
    structures = [
        out.Structure(
            one.label,
            one.name_zh or one.name,
            out.Code(one.code, "SCT", one.name) if one.code else None,
            colour=one.colour,
        )
        for one in found.structures
        if (found.labels == one.label).any()
    ]
    return out.Result(
        volume,
        "分割 Segmentation",
        source_of(datasets, volume),
        found.labels,
        structures,
        # Measured whole; in the label map a structure may lie over another.
        [
            out.Measurement(one.label, out.VOLUME, one.volume_ml, out.MILLILITRE)
            for one in found.structures
            if one.label in {held.number for held in structures}
        ],
        draft.plain_text(),
    )
