"""A request's way from kept DICOM files to nodules with their pictures."""

from __future__ import annotations

import asyncio
import threading
import time

from assistant.imaging import dicom, series
from assistant.imaging.picture import drawn
from assistant.imaging.picture import place as placed
from assistant.imaging.problem import ImageProblem
from assistant.imaging.volume import Mask, Volume
from assistant.record.attachment_content import read
from assistant.record.evidence import SlicePicture
from assistant.store import Context
from assistant.store.attachments import Attachments
from assistant.tasks.detection.draft import Detections
from assistant.tasks.detection.nodules import nodules
from assistant.tasks.detection.report import report
from assistant.tasks.detection.request import ScanToSearch
from assistant.tasks.detection.run_model import marked
from assistant.tasks.detection.scoring import scoring_settings
from assistant.work.resources import Resources
from serving.engine import EngineError
from serving.models.mirrors import ModelUnavailable
from serving.vision.problem import VisionProblem


async def detected(request: ScanToSearch, context: Context, resources: Resources) -> Detections:
    """The nodules of a request's scan.  Raises `EngineError` with what is wrong with it."""
    gone = threading.Event()
    try:
        if request.model:
            return await asyncio.to_thread(marked, request, context, resources, gone.is_set)
        return await asyncio.to_thread(_detected, request, context, resources.attachments)
    except (ImageProblem, VisionProblem, ModelUnavailable) as problem:
        raise EngineError(str(problem)) from None
    finally:
        gone.set()


def method() -> str:
    """What found the nodules, for the record."""
    made = scoring_settings()
    return f"经典候选检测 + 提升树 {made.version}（{made.learnt_from}）"


def _detected(request: ScanToSearch, context: Context, attachments: Attachments) -> Detections:
    started = time.perf_counter()
    image = request.image.id
    files = (data for _, data in attachments.contents(context, image))
    volume = series.assemble(dicom.datasets(files))
    found, masks = nodules(volume, lambda done, total, what: None, request.threshold)
    pictures = [_picture(volume, mask, attachments, context) for mask in masks]
    return Detections(
        method=method(),
        detections=found,
        report=report(found, image, pictures),
        seconds=time.perf_counter() - started,
    )


def _picture(
    volume: Volume, mask: Mask, attachments: Attachments, context: Context
) -> SlicePicture:
    """The slice on which a nodule is largest, kept beside the images."""
    picture = drawn(volume, mask, window="lung")
    kept = attachments.add(context, read(picture.png, "image/png"))
    x, y, width, height = placed(mask, picture)
    return SlicePicture(
        attachment_id=kept.id, slice=picture.slice, x=x, y=y, width=width, height=height
    )
