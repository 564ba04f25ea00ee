"""Slices with the structures laid over them."""

from __future__ import annotations

import base64

from assistant.record.attachment import Series
from assistant.store import Context
from assistant.store.attachments import Attachments
from assistant.tasks.radiomics.picture import PLANES, Overlay, drawn, largest
from assistant.tasks.radiomics.ui.study import Viewer
from assistant.tasks.segmentation.run import colours
from assistant.tasks.segmentation.segmentation import Segmentation


class OverlayViewer(Viewer):
    """The viewer of series, with labels instead of a region."""

    def overlaid(
        self,
        attachments: Attachments,
        context: Context,
        image: Series,
        found: Segmentation | None,
        *,
        plane: str = "axial",
        window: str = "",
        number: int | None = None,
        opacity: float = 0.5,
        labels: frozenset[int] | None = None,
    ) -> tuple[str, int, int]:
        """A slice as the address of a picture, its number, and how many slices the plane has.

        Raises `ImageProblem`, and what the store raises where this is not the context's.
        """
        attachments.get(context, image.id)
        with self._lock:
            volume = self._volume(attachments, context, image)
        count = volume.grid.shape[PLANES.index(plane)]
        if number is None or number >= count:
            number = largest(found.labels > 0, plane) if found is not None else count // 2
        overlay = None
        if found is not None:
            shown = found.shown(labels)
            overlay = Overlay(shown, colours(found.structures), opacity, labels)
        picture = drawn(volume, None, number, plane=plane, window=window, overlay=overlay)
        address = "data:image/png;base64," + base64.b64encode(picture.png).decode()
        return address, number, count
