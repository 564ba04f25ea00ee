"""From an image to its structures: conform, run the model, and back onto the image's grid."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.imaging.problem import ImageProblem
from assistant.imaging.volume import Volume
from assistant.tasks.segmentation.conform import back, conformed, scaled
from assistant.tasks.segmentation.structure import Structure, measured, named
from serving.vision.description import Class
from serving.vision.folder import open_folder
from serving.vision.network import Network, Wanted
from serving.vision.problem import Cancelled, VisionProblem
from serving.vision.store import VisionStore

CLASSICAL = "ct-classical"
"""Thresholds and morphology in the place of a network."""

Report = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Segmentation:
    """``labels`` are on the image's own grid; ``precision`` is empty where no network ran."""

    labels: NDArray[np.uint8]
    structures: list[Structure]
    model: str
    digest: str = ""
    precision: str = ""
    seconds: float = 0.0


class Segmenter:
    """One model, ready to segment images one after the other."""

    def __init__(self, network: Network, name: str) -> None:
        self.network = network
        self.name = name
        self.classes = named(network.opened.description.classes)
        self._lock = threading.Lock()

    def segment(
        self,
        volume: Volume,
        report: Report | None = None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Segmentation:
        """The structures of ``volume``.

        Raises `ImageProblem` for an image that the model is not for, `VisionProblem`, `Cancelled`.
        """
        started = time.perf_counter()
        said = self.network.opened.description
        if said.modality and volume.modality and volume.modality != said.modality:
            raise ImageProblem(
                f"模型 {self.name} 用于 {said.modality} 图像，而该图像是 {volume.modality[:16]}，"
                "请选择对应的序列或模型。",
                f"The model is for {said.modality} and the image is {volume.modality[:16]}; choose "
                "another series or model.",
            )
        given = conformed(volume, said)
        array = scaled(given.array, said.intensity)
        found = self.network.labels(array, float(array.min()), report=report, cancelled=cancelled)
        labels = back(found, given.grid, volume.grid)
        return Segmentation(
            labels,
            measured(labels, volume.grid, self.classes),
            self.name,
            self.network.opened.digest,
            self.network.precision or "",
            time.perf_counter() - started,
        )


class Classical:
    """CT without a network; the same way to ask."""

    name = CLASSICAL

    def segment(
        self,
        volume: Volume,
        report: Report | None = None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Segmentation:
        """Lungs, airways, body, bone and the like.  Raises `ImageProblem`."""
        from assistant.imaging import ct  # type: ignore[attr-defined]

        started = time.perf_counter()
        if volume.unit != "HU":
            raise ImageProblem(
                "此方法仅用于 CT；NIfTI 或 NRRD 请加 --modality CT。",
                "This is for CT only; for NIfTI and NRRD add --modality CT.",
            )

        def told(done: int, total: int, what: str) -> None:
            if cancelled():
                raise Cancelled
            if report is not None:
                report(done, total, what)

        known = list(ct.STRUCTURES)
        masks = ct.segment_ct(volume, [one.name for one in known], told)
        classes = [Class(name="background"), *(_class(one) for one in known)]
        labels = np.zeros(volume.grid.shape, np.uint8)
        # Large ones first: a part of the body is drawn over the body.
        sizes = {name: int(np.count_nonzero(mask)) for name, mask in masks.items()}
        order = sorted(range(len(known)), key=lambda at: -sizes.get(known[at].name, 0))
        for at in order:
            if (mask := masks.get(known[at].name)) is not None:
                labels[mask] = at + 1
        structures = _whole(masks, classes, volume)
        return Segmentation(labels, structures, CLASSICAL, seconds=time.perf_counter() - started)


def _class(one: Any) -> Class:
    return Class(
        name=one.name,
        name_zh=getattr(one, "name_zh", ""),
        code=getattr(one, "code", ""),
        colour=tuple(getattr(one, "colour", (255, 196, 0))),
    )


def _whole(
    masks: dict[str, NDArray[np.bool_]], classes: Sequence[Class], volume: Volume
) -> list[Structure]:
    """Structures may lie in one another, so that each is measured by its own mask."""
    millilitres = float(np.prod(volume.grid.spacing)) / 1000
    found = []
    for label, one in enumerate(classes):
        mask = masks.get(one.name)
        voxels = 0 if mask is None else int(np.count_nonzero(mask))
        if label and voxels:
            found.append(
                Structure(
                    label=label,
                    name=one.name,
                    name_zh=one.name_zh,
                    code=one.code,
                    colour=one.colour,
                    voxels=voxels,
                    volume_ml=voxels * millilitres,
                )
            )
    return found


def open_segmenter(
    model: str, home: Path, precision: Wanted = "auto", threads: int = 0
) -> Segmenter | Classical:
    """A model by its name, or by the folder that it is in.

    Raises:
        VisionProblem: there is none, or it does not fit its description.
    """
    if model == CLASSICAL:
        return Classical()
    store = VisionStore(home)
    if not store.holds(model) and Path(model).is_dir():
        opened = open_folder(Path(model))
    else:
        opened = store.open(model)
    if opened.description.task != "segmentation":
        raise VisionProblem("该模型不用于分割。", "This model is not for segmentation.")
    network = Network(opened, precision, threads=threads)
    return Segmenter(network, opened.description.name)
