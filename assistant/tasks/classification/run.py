"""A request's way from what was uploaded to its classes, with the picture they are seen on."""

from __future__ import annotations

import asyncio
import threading

from assistant.imaging import channels
from assistant.imaging.channels import Channels
from assistant.imaging.problem import ImageProblem
from assistant.record.attachment import PageImage
from assistant.record.attachment_content import read
from assistant.record.evidence import Evidence, PageBox, SlicePicture, VolumeBox, VolumeRegion
from assistant.store import Context
from assistant.store.attachments import Attachments
from assistant.tasks.classification.classifying import Classified, ImageClassifier, open_classifier
from assistant.tasks.classification.draft import ImageClass, Place
from assistant.tasks.classification.heat_picture import heat_picture
from assistant.tasks.classification.report import called, report, sentences
from assistant.tasks.classification.request import ImageToClassify
from assistant.work.resources import Resources
from serving.engine import EngineError
from serving.models.mirrors import ModelUnavailable
from serving.vision.problem import VisionProblem


async def classified(
    request: ImageToClassify, context: Context, resources: Resources
) -> ImageClass:
    """The draft.  A caller that goes away stops the work.

    Raises `EngineError` with what is wrong.
    """
    gone = threading.Event()
    try:
        return await asyncio.to_thread(_classified, request, context, resources, gone)
    except (ImageProblem, VisionProblem, ModelUnavailable) as problem:
        raise EngineError(str(problem)) from None
    finally:
        gone.set()


def _classified(
    request: ImageToClassify, context: Context, resources: Resources, gone: threading.Event
) -> ImageClass:
    held = resources.attachments
    model = resources.shared(
        f"classification.{request.model}",
        lambda: open_classifier(request.model, resources.settings.home),
    )
    image = image_of(request, context, held)
    found = model.classify(image, heat=request.heat_map, cancelled=gone.is_set)
    evidence: Evidence | None = None
    picture_id = ""
    if found.heat is not None:
        picture, around = heat_picture(image, found.heat, found.seen)
        picture_id = held.add(context, read(picture.png, "image/png")).id
        shown = SlicePicture(
            attachment_id=picture_id,
            slice=picture.slice + (request.slice or 0),
            x=around[0],
            y=around[1],
            width=around[2],
            height=around[3],
        )
        if found.seen is not None:
            evidence = _evidence(request, found, found.seen, shown)
    return drafted(model, found, evidence, picture_id, request.slice or 0)


def drafted(
    model: ImageClassifier,
    found: Classified,
    evidence: Evidence | None,
    picture_id: str = "",
    first: int = 0,
) -> ImageClass:
    """``first``: the slice of the image that the model was given alone."""
    opened = model.classifier.opened
    place = None if found.seen is None else _moved(found.seen, first)
    exclusive = model.classifier.exclusive
    return ImageClass(
        network=model.name,
        network_sha256=opened.digest,
        temperature=opened.description.temperature,
        exclusive=exclusive,
        classes=found.classes,
        seen=place,
        heat_map_id=picture_id,
        report=report(sentences(found.classes, place, model.name, exclusive=exclusive), evidence),
        seconds=round(found.seconds, 2),
    )


def image_of(request: ImageToClassify, context: Context, attachments: Attachments) -> Channels:
    """The image of a request, cut to its slice where it names one.  Raises `ImageProblem`."""
    one = request.image
    if isinstance(one, PageImage):
        image = channels.of_picture(attachments.content(context, one.id)[0])
    else:
        image = channels.of_dicom(data for _, data in attachments.contents(context, one.id))
    return image if request.slice is None else image.slice(request.slice)


def _moved(place: Place, first: int) -> Place:
    if not first:
        return place
    moved = {
        name: (point[0] + first, point[1], point[2])
        for name, point in (("low", place.low), ("high", place.high), ("peak", place.peak))
    }
    return place.model_copy(update=moved)


def _evidence(
    request: ImageToClassify, found: Classified, seen: Place, shown: SlicePicture
) -> Evidence:
    """A box on the picture that was uploaded, or a region of the series."""
    name = called(found.classes[0])
    if isinstance(request.image, PageImage):
        return PageBox(
            quote=name,
            attachment_id=request.image.id,
            x=seen.low[2],
            y=seen.low[1],
            width=seen.high[2] - seen.low[2] + 1,
            height=seen.high[1] - seen.low[1] + 1,
        )
    place = _moved(seen, request.slice or 0)
    low, high = (tuple(float(n) for n in point[::-1]) for point in (place.low, place.high))
    box = VolumeBox(unit="voxel", low=(low[0], low[1], low[2]), high=(high[0], high[1], high[2]))
    return VolumeRegion(quote=name, series_id=request.image.id, label=name, box=box, picture=shown)
