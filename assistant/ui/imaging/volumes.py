"""The volumes and regions that were looked at last, kept for whoever looks at them next."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from assistant.imaging import dicom, series
from assistant.imaging.source import Region, region_of
from assistant.imaging.volume import Mask, Volume
from assistant.record.attachment import Series
from assistant.store import Context
from assistant.store.attachments import Attachments
from assistant.ui.imaging.attached import files
from assistant.ui.imaging.viewing import ViewedClass, Viewing

if TYPE_CHECKING:
    from assistant.api.context import Services

_KEPT = 2
"""Volumes kept for scrolling, whoever looks at them; one is a few hundred megabytes."""


class KeptVolumes:
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


def kept_volumes(parts: Services) -> KeptVolumes:
    """Those of this server: one for all pages, since a volume is large."""
    shared: KeptVolumes = parts.resources.shared("study.volumes", KeptVolumes)
    return shared


def viewed(
    volume: Volume,
    image: Series,
    maps: Sequence[NDArray[np.uint8]] = (),
    classes: Sequence[ViewedClass] = (),
) -> Viewing:
    """A volume as the viewer has it."""
    depth, rows, columns = (float(size) for size in volume.grid.spacing)
    return Viewing(
        image.sha256,
        volume.array[None],
        (depth, rows, columns),
        volume.unit,
        maps=maps,
        classes=classes,
    )
