"""From an image to its structures: conform, run the model, and back onto the image's grid."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from assistant.imaging.classical import CLASSICAL
from assistant.imaging.conform import back, conformed, scaled
from assistant.imaging.problem import ImageProblem
from assistant.imaging.volume import Volume
from assistant.tasks.segmentation.classical import Classical
from assistant.tasks.segmentation.measuring import measured, named
from assistant.tasks.segmentation.segmentation import Report, Segmentation
from serving.vision.folder import open_folder
from serving.vision.network import Network, Wanted
from serving.vision.problem import VisionProblem
from serving.vision.store import VisionStore


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
            self.network.way,
            time.perf_counter() - started,
        )


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
