"""Images of a hospital's own, as a model is given them: what INT8 is calibrated on."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant.imaging import channels
from assistant.imaging.conform import conformed, scaled
from assistant.imaging.source import FILE_ENDINGS, known_as, read_image
from assistant.tasks.detection.marking import laid_out
from serving.vision.description import Description


def scaled_images(
    paths: Iterable[Path], modality: str, said: Description
) -> list[NDArray[np.float32]]:
    """Every image of `listed`.  Raises `ImageProblem`."""
    volumes = (known_as(read_image(one), modality) for one in listed(paths))
    return [scaled(conformed(one, said).array, said.intensity) for one in volumes]


def slices_of_images(
    paths: Iterable[Path], modality: str, said: Description
) -> list[NDArray[np.float32]]:
    """Every slice [channel, row, column] of every image of `listed`.  Raises `ImageProblem`."""
    found: list[NDArray[np.float32]] = []
    for one in listed(paths):
        values, _ = laid_out(channels.read(one, modality), said)
        found += [np.ascontiguousarray(values[:, at]) for at in range(values.shape[1])]
    return found


def listed(paths: Iterable[Path]) -> list[Path]:
    """Of a folder (or ``images/`` in it) the files that are images by name, else the folder as a
    DICOM series."""
    every: list[Path] = []
    for path in paths:
        inner = path / "images" if (path / "images").is_dir() else path
        files = sorted(inner.iterdir()) if inner.is_dir() else []
        named = [one for one in files if one.name.lower().endswith(FILE_ENDINGS)]
        every += named or [inner]
    return every
