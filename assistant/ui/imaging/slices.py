"""Slices of a patient's series, as pictures for a page."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from assistant.imaging import dicom, series
from assistant.imaging.picture import PLANES, Overlay, drawn, largest
from assistant.imaging.source import Region, region_of
from assistant.imaging.volume import Mask, Volume
from assistant.record.attachment import Series
from assistant.store import Context
from assistant.store.attachments import Attachments
from assistant.ui.imaging.attached import address, files

_KEPT = 2
"""Volumes kept for scrolling, whoever looks at them; one is a few hundred megabytes."""


@dataclass(frozen=True, slots=True)
class Slice:
    """A picture's address, the number of the slice, and how many the plane has."""

    address: str
    number: int
    count: int


class SliceViewer:
    """The series that were looked at last; shared by all pages of a process."""

    def __init__(self) -> None:
        self._volumes: OrderedDict[str, Volume] = OrderedDict()
        self._regions: OrderedDict[tuple[str, str, str], Region] = OrderedDict()
        self._lock = threading.Lock()

    def volume(self, attachments: Attachments, context: Context, image: Series) -> Volume:
        """The volume of a series.

        Raises `ImageProblem`, and what the store raises where this is not the context's.
        """
        attachments.get(context, image.id)
        with self._lock:
            volume = self._volumes.get(image.sha256)
            if volume is None:
                volume = series.assemble(dicom.datasets(files(attachments, context, image)))
                self._volumes[image.sha256] = volume
                while len(self._volumes) > _KEPT:
                    self._volumes.popitem(last=False)
            self._volumes.move_to_end(image.sha256)
        return volume

    def mask(
        self, attachments: Attachments, context: Context, image: Series, region: Series, roi: str
    ) -> Mask:
        """The region ``roi`` of an RTSTRUCT or SEG on the grid of its image.

        Raises as `volume`.
        """
        volume = self.volume(attachments, context, image)
        attachments.get(context, region.id)
        key = (image.sha256, region.sha256, roi)
        with self._lock:
            found = self._regions.get(key)
            if found is None:
                first = files(attachments, context, region)[0]
                found = self._regions[key] = region_of(dicom.read(first), volume, roi)
                while len(self._regions) > _KEPT:
                    self._regions.popitem(last=False)
        return found.mask


def slice_of(
    volume: Volume,
    plane: str,
    window: str,
    number: int | None = None,
    *,
    mask: Mask | None = None,
    overlay: Overlay | None = None,
) -> Slice:
    """A slice with what lies on it; by default the one with most of that, or the middle one."""
    count = volume.grid.shape[PLANES.index(plane)]
    if number is None or number >= count:
        region = mask if overlay is None else overlay.labels > 0
        number = largest(region, plane) if region is not None else count // 2
    picture = drawn(volume, mask, number, plane=plane, window=window, overlay=overlay)
    return Slice(address(picture.png), number, count)
