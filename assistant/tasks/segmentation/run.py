"""A request's way from kept DICOM files to structures, each with a slice to see it on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy import ndimage

from assistant.imaging import dicom, series
from assistant.imaging.picture import Overlay, Picture, drawn, place
from assistant.imaging.problem import ImageProblem
from assistant.imaging.volume import Volume
from assistant.record.attachment import Series
from assistant.record.attachment_content import read
from assistant.record.evidence import SlicePicture, VolumeBox, VolumeRegion
from assistant.store import Context
from assistant.store.attachments import Attachments
from assistant.tasks.segmentation.draft import FoundStructure, ImageSegmentation
from assistant.tasks.segmentation.request import ImageToSegment
from assistant.tasks.segmentation.results import Results
from assistant.tasks.segmentation.segmentation import Segmentation
from assistant.tasks.segmentation.segmenting import open_segmenter
from assistant.tasks.segmentation.structure import Structure
from assistant.work.events import Event
from assistant.work.resources import Resources
from serving.engine import EngineError
from serving.models.mirrors import ModelUnavailable
from serving.vision.problem import VisionProblem

_STEPS = 20
"""How often at most it is told how far the work is."""


class Segmented(Event):
    """How far the work is."""

    name: ClassVar[str] = "segmented"

    share: float = Field(ge=0, le=1)


async def segmented(
    request: ImageToSegment, context: Context, resources: Resources
) -> AsyncIterator[Event | ImageSegmentation]:
    """How far it is, again and again, and then the draft.

    A caller that goes away stops the work.  Raises `EngineError` with what is wrong.
    """
    shares: asyncio.Queue[float] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    gone = threading.Event()
    last = 0

    def report(done: int, total: int, _: str) -> None:
        nonlocal last
        step = done * _STEPS // max(total, 1)
        if step > last:
            last = step
            loop.call_soon_threadsafe(shares.put_nowait, step / _STEPS)

    work = asyncio.create_task(
        asyncio.to_thread(_segmented, request, context, resources, report, gone.is_set)
    )
    # Nobody waits for it any more where the caller has gone.
    work.add_done_callback(lambda one: one.cancelled() or one.exception())
    try:
        while not work.done() or not shares.empty():
            wait = asyncio.create_task(shares.get())
            await asyncio.wait({wait, work}, return_when=asyncio.FIRST_COMPLETED)
            if wait.done():
                yield Segmented(share=wait.result())
            else:
                wait.cancel()
        yield await work
    except (ImageProblem, VisionProblem, ModelUnavailable) as problem:
        raise EngineError(str(problem)) from None
    finally:
        gone.set()


def _segmented(
    request: ImageToSegment,
    context: Context,
    resources: Resources,
    report: Callable[[int, int, str], None],
    cancelled: Callable[[], bool],
) -> ImageSegmentation:
    held = resources.attachments
    segmenter = resources.shared(
        f"segmentation.{request.model}",
        lambda: open_segmenter(request.model, resources.settings.home),
    )
    volume = series.assemble(dicom.datasets(_files(held, context, request.image)))
    found = segmenter.segment(volume, report, cancelled)
    results = resources.shared("segmentation.results", Results)
    results.keep(request.image.sha256, request.model, found)
    boxes = ndimage.find_objects(found.labels)
    inner = [] if found.inner is None else ndimage.find_objects(found.inner)
    shown = _Pictures(volume, found, held, context)
    return ImageSegmentation(
        network=found.model,
        network_sha256=found.digest,
        precision=found.precision,
        structures=[
            FoundStructure(
                **one.model_dump(),
                evidence=_evidence(request, one, found.mask(one.label), box, shown),
            )
            for one in found.structures
            if (box := _around(one.label, boxes, inner)) is not None
        ],
        seconds=found.seconds,
    )


Box = tuple[slice, slice, slice]


def _around(label: int, *listed: list[Box | None]) -> Box | None:
    """The box around a label's voxels in several maps; None where there are none."""
    found = [one[label - 1] for one in listed if label <= len(one)]
    boxes = [one for one in found if one is not None]
    if not boxes:
        return None
    first, second, third = (
        slice(min(box[axis].start for box in boxes), max(box[axis].stop for box in boxes))
        for axis in range(3)
    )
    return first, second, third


def _files(attachments: Attachments, context: Context, one: Series) -> Iterator[bytes]:
    for _, data in attachments.contents(context, one.id):
        yield data


def colours(structures: list[Structure]) -> NDArray[np.uint8]:
    """[label, 3] for an overlay; labels without a structure are black."""
    found = np.zeros((256, 3), np.uint8)
    for one in structures:
        found[one.label] = one.colour
    return found


class _Pictures:
    """Slices with all structures on them; each is drawn and kept once."""

    def __init__(
        self, volume: Volume, found: Segmentation, attachments: Attachments, context: Context
    ) -> None:
        self._volume = volume
        self._overlay = Overlay(found.shown(), colours(found.structures))
        self._attachments = attachments
        self._context = context
        self._kept: dict[int, tuple[str, Picture]] = {}

    def of(self, number: int) -> tuple[str, Picture]:
        """The attachment of slice ``number`` and the picture itself."""
        if number not in self._kept:
            picture = drawn(self._volume, None, number, overlay=self._overlay)
            kept = self._attachments.add(self._context, read(picture.png, "image/png"))
            self._kept[number] = kept.id, picture
        return self._kept[number]


def _evidence(
    request: ImageToSegment,
    one: Structure,
    mask: NDArray[np.bool_],
    part: Box,
    shown: _Pictures,
) -> VolumeRegion:
    """Where a structure is, with the slice on which it is largest."""
    attachment, picture = shown.of(int(mask.sum(axis=(1, 2)).argmax()))
    around = place(mask, picture)
    low = (float(part[2].start), float(part[1].start), float(part[0].start))
    high = (float(part[2].stop - 1), float(part[1].stop - 1), float(part[0].stop - 1))
    return VolumeRegion(
        quote=one.name_zh or one.name,
        series_id=request.image.id,
        label=one.name,
        segment=one.label,
        box=VolumeBox(unit="voxel", low=low, high=high),
        picture=SlicePicture(
            attachment_id=attachment,
            slice=picture.slice,
            x=around[0],
            y=around[1],
            width=around[2],
            height=around[3],
        ),
    )
