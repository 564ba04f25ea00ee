"""Images of a hospital's own, as a model is given them: what INT8 is calibrated on."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant.imaging.conform import conformed, scaled
from assistant.imaging.source import FILE_ENDINGS, known_as, read_image
from serving.vision.description import Description


def scaled_images(
    paths: Iterable[Path], modality: str, said: Description
) -> list[NDArray[np.float32]]:
    """Every image; of a folder (or ``images/`` in it) the files that are images by name, else the
    folder as a DICOM series.  Raises `ImageProblem`."""
    every: list[Path] = []
    for path in paths:
        inner = path / "images" if (path / "images").is_dir() else path
        files = sorted(inner.iterdir()) if inner.is_dir() else []
        listed = [one for one in files if one.name.lower().endswith(FILE_ENDINGS)]
        every += listed or [inner]
    volumes = (known_as(read_image(one), modality) for one in every)
    return [scaled(conformed(one, said).array, said.intensity) for one in volumes]
