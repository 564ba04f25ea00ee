"""CT without a network: the structures of `assistant.imaging.ct`, asked for as a model is."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib import import_module

import numpy as np

from assistant.imaging.classical import CLASSICAL
from assistant.imaging.problem import ImageProblem
from assistant.imaging.volume import Volume
from assistant.tasks.segmentation.segmentation import Report, Segmentation
from assistant.tasks.segmentation.structure import Structure
from serving.vision.problem import Cancelled

_PLACE = "assistant.imaging.ct"
_AROUND = ("body", "bone")
"""What lungs lie in; the rest lies in them."""


class Classical:
    """Lungs, airways, body, bone and the like, by thresholds and morphology."""

    name = CLASSICAL

    def segment(
        self,
        volume: Volume,
        report: Report | None = None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Segmentation:
        """All structures that the image has.

        Structures may lie in one another: each is measured whole, and in ``labels`` a later one
        lies over an earlier, but nothing over the lungs, which have their vessels and bronchi:
        those are in ``inner``.  Raises `ImageProblem` for what is no CT.
        """
        if volume.unit != "HU":
            raise ImageProblem(
                "此方法仅用于 CT；NIfTI 或 NRRD 请加 --modality CT。",
                "This is for CT only; for NIfTI and NRRD add --modality CT.",
            )
        started = time.perf_counter()
        ct = import_module(_PLACE)

        def tell_progress(done: int, total: int, what: str) -> None:
            if cancelled():
                raise Cancelled
            if report is not None:
                report(done, total, what)

        masks = ct.segment_ct(volume, None, tell_progress)
        labels = np.zeros(volume.grid.shape, np.uint8)
        millilitres = float(np.prod(volume.grid.spacing)) / 1000
        structures = []
        lungs = np.zeros(volume.grid.shape, bool)
        inner = np.zeros(volume.grid.shape, np.uint8)
        for label, (name, one) in enumerate(ct.STRUCTURES.items(), start=1):
            if name not in masks:
                continue
            if name.startswith("lung_"):
                lungs |= masks[name]
                labels[masks[name]] = label
            else:
                # A lung with holes where its vessels are is not the lung that was measured.
                labels[masks[name] & ~lungs] = label
                if name not in _AROUND:
                    inner[masks[name] & lungs] = label
            voxels = int(np.count_nonzero(masks[name]))
            structures.append(
                Structure(
                    label=label,
                    name=one.en,
                    name_zh=one.zh,
                    code=one.code,
                    colour=_colour(one.colour),
                    voxels=voxels,
                    volume_ml=voxels * millilitres,
                )
            )
        seconds = time.perf_counter() - started
        held = inner if inner.any() else None
        return Segmentation(labels, structures, CLASSICAL, seconds=seconds, inner=held)


def _colour(text: str) -> tuple[int, int, int]:
    """``#rrggbb`` as numbers."""
    red, green, blue = bytes.fromhex(text.removeprefix("#"))
    return red, green, blue
