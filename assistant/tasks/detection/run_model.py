"""A request's way to the marks of a detector of the hospital's own, with their pictures."""

from __future__ import annotations

import time
from collections.abc import Callable

from assistant.imaging import channels
from assistant.imaging.channels import Channels
from assistant.imaging.picture import drawn, place
from assistant.record.attachment import PageImage
from assistant.record.attachment_content import read
from assistant.record.evidence import Evidence, SlicePicture
from assistant.store import Context
from assistant.store.attachments import Attachments
from assistant.tasks.detection.draft import Detections, Mark
from assistant.tasks.detection.marking import mask_of, open_detector
from assistant.tasks.detection.marks_report import box_of, marks_report, region_of
from assistant.tasks.detection.request import ScanToSearch
from assistant.work.resources import Resources

_PICTURES = 50
"""Marks with a picture of their own; the others are cited by their box alone."""


def marked(
    request: ScanToSearch,
    context: Context,
    resources: Resources,
    cancelled: Callable[[], bool],
) -> Detections:
    """The draft.  Raises `ImageProblem`, `VisionProblem`."""
    started = time.perf_counter()
    held = resources.attachments
    detector = resources.shared(
        f"detection.{request.model}",
        lambda: open_detector(request.model, resources.settings.home),
    )
    image = image_of(request, context, held)
    marks = detector.marks(image, request.threshold, cancelled=cancelled)
    evidence: list[Evidence | None] = [
        box_of(one, request.image.id)
        if isinstance(request.image, PageImage)
        else region_of(
            one,
            request.image.id,
            _picture(image, one, held, context) if one.number <= _PICTURES else None,
        )
        for one in marks
    ]
    return Detections(
        method=detector.name,
        network=detector.name,
        network_sha256=detector.detector.opened.digest,
        marks=marks,
        report=marks_report(marks, detector.name, evidence),
        seconds=time.perf_counter() - started,
    )


def image_of(request: ScanToSearch, context: Context, attachments: Attachments) -> Channels:
    """What the request names.  Raises `ImageProblem`."""
    one = request.image
    if isinstance(one, PageImage):
        return channels.of_picture(attachments.content(context, one.id)[0])
    return channels.of_dicom(data for _, data in attachments.contents(context, one.id))


def _picture(
    image: Channels, mark: Mark, attachments: Attachments, context: Context
) -> SlicePicture:
    grey = image.grey()
    mask = mask_of(mark, grey.grid.shape)
    picture = drawn(grey, mask, mark.slice)
    kept = attachments.add(context, read(picture.png, "image/png"))
    x, y, width, height = place(mask, picture)
    return SlicePicture(
        attachment_id=kept.id, slice=picture.slice, x=x, y=y, width=width, height=height
    )
