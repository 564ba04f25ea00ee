"""The series of a patient as the page shows them: listed, drawn."""

from __future__ import annotations

import base64
import threading
from collections import OrderedDict

from assistant.imaging import dicom, series
from assistant.imaging.source import Region, region_of
from assistant.imaging.volume import Volume
from assistant.record.attachment import Series
from assistant.store import Context
from assistant.store.attachments import Attachments
from assistant.tasks.radiomics.picture import PLANES, drawn, largest
from assistant.tasks.radiomics.request import REGION_MODALITIES

_VOLUMES = 2
"""Kept for scrolling, whoever looks at them; one is a few hundred megabytes."""


def listed(attachments: Attachments, context: Context) -> tuple[list[Series], list[Series]]:
    """The patient's series of images, and their regions; newest first."""
    found = [one for one in attachments.list(context, 500) if isinstance(one, Series)]
    regions = [one for one in found if one.modality in REGION_MODALITIES]
    return [one for one in found if one not in regions], regions


def label(one: Series) -> str:
    """What tells one series from another: no name of a file, no name of a patient."""
    return f"{one.modality} · {one.instances} · …{one.series_uid[-12:]}"


def region_names(attachments: Attachments, context: Context, one: Series) -> list[str]:
    """The regions of an RTSTRUCT or SEG.  Raises `ImageProblem`."""
    from assistant.imaging import segmentation, structure_set

    found = dicom.read(_files(attachments, context, one)[0])
    is_contours = dicom.sop_class(found) == dicom.RTSTRUCT
    return list((structure_set if is_contours else segmentation).names(found))


class Viewer:
    """Slices of the series that were looked at last; shared by all pages of a process."""

    def __init__(self) -> None:
        self._volumes: OrderedDict[str, Volume] = OrderedDict()
        self._regions: OrderedDict[tuple[str, str, str], Region] = OrderedDict()
        self._lock = threading.Lock()

    def shown(
        self,
        attachments: Attachments,
        context: Context,
        image: Series,
        region: Series | None,
        roi: str,
        *,
        plane: str = "axial",
        window: str = "",
        number: int | None = None,
    ) -> tuple[str, int, int]:
        """A slice as the address of a picture, its number, and how many slices the plane has.

        Raises `ImageProblem`, and what the store raises where this is not the context's.
        """
        attachments.get(context, image.id)
        with self._lock:
            volume = self._volume(attachments, context, image)
            mask = (
                self._region(attachments, context, image, region, roi, volume).mask
                if (region is not None and roi)
                else None
            )
            count = volume.grid.shape[PLANES.index(plane)]
            if number is None or number >= count:
                number = largest(mask, plane) if mask is not None else count // 2
            picture = drawn(volume, mask, number, plane=plane, window=window)
        address = "data:image/png;base64," + base64.b64encode(picture.png).decode()
        return address, number, count

    def _volume(self, attachments: Attachments, context: Context, image: Series) -> Volume:
        volume = self._volumes.get(image.sha256)
        if volume is None:
            files = _files(attachments, context, image)
            volume = series.assemble(dicom.datasets(files))
            self._volumes[image.sha256] = volume
            while len(self._volumes) > _VOLUMES:
                self._volumes.popitem(last=False)
        self._volumes.move_to_end(image.sha256)
        return volume

    def _region(
        self,
        attachments: Attachments,
        context: Context,
        image: Series,
        one: Series,
        roi: str,
        volume: Volume,
    ) -> Region:
        attachments.get(context, one.id)
        key = (image.sha256, one.sha256, roi)
        region = self._regions.get(key)
        if region is None:
            found = dicom.read(_files(attachments, context, one)[0])
            region = self._regions[key] = region_of(found, volume, roi)
            while len(self._regions) > _VOLUMES:
                self._regions.popitem(last=False)
        return region


def _files(attachments: Attachments, context: Context, one: Series) -> list[bytes]:
    names = attachments.files(context, one.id)
    return [attachments.content(context, one.id, name)[0] for name in names]
