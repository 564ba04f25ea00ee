"""What is decided before training: who is held out, the network's grid, intensities, the patch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assistant.imaging.problem import ImageProblem
from assistant.tasks.segmentation.measuring import named
from assistant.training.segmentation.case import Read
from serving.vision.description import Class, Description, Intensity

ORIENTATION = "SPL"
"""Axes to the head, to the back, to the left: slices as DICOM has them."""

_CUT = 0.5, 99.5
"""Percentiles of intensities, beyond which they are cut off."""

_PATCH = {2: (1, 192, 192), 3: (64, 96, 96)}


def held_out(names: Sequence[str], share: float, seed: int) -> tuple[str, ...]:
    """The cases that are never trained on: a share, at least one.

    Raises:
        ImageProblem: none would be left to train on.
    """
    count = max(round(len(names) * share), 1)
    if len(names) - count < 1:
        raise ImageProblem(
            f"只有 {len(names)} 个病例，至少需要 2 个（其一留作检验）。",
            "There must be at least two cases: one is held out to test on.",
        )
    order = np.random.default_rng(seed).permutation(len(names))
    return tuple(sorted(names[int(at)] for at in order[:count]))


def described(
    reads: Sequence[Read],
    values: Sequence[int],
    names: Sequence[str],
    dimensions: int,
    name: str,
    patch: tuple[int, int, int],
    least: int,
    licence: str = "",
) -> Description:
    """The model's ``vision.yaml``, from what the training images are.

    The spacing is their median; CT is scaled from the percentiles of what was drawn, other
    images from their own.  ``names`` of the structures; ``least``: see `networks.Shape.multiple`.

    Raises:
        ImageProblem: there are not as many names as structures.
    """
    listed = [*names] if names else [f"structure {value}" for value in values[1:]]
    if len(listed) != len(values) - 1:
        raise ImageProblem(
            f"--names 有 {len(listed)} 个名称，但掩膜有 {len(values) - 1} 种结构。",
            f"--names has {len(listed)} names, but the masks have {len(values) - 1} structures.",
        )
    modalities = {one.volume.modality for one in reads}
    modality = modalities.pop() if len(modalities) == 1 else ""
    spacing = np.median([one.volume.grid.spacing for one in reads], axis=0)
    steps = (float(spacing[0]), float(spacing[1]), float(spacing[2]))
    classes = [Class(name="background"), *(_class(one, at) for at, one in enumerate(listed))]
    return Description(
        name=name,
        modality=modality,
        dimensions=2 if dimensions == 2 else 3,
        spacing=steps,
        orientation=ORIENTATION,
        intensity=_intensity(reads, modality),
        window=None if dimensions == 2 else _multiple(patch, least),
        classes=tuple(named(classes)),
        licence=licence,
    )


def patch_for(shape: tuple[int, ...], dimensions: int, least: int) -> tuple[int, int, int]:
    """As large as the images, up to what learns quickly; multiples of ``least``."""
    most = _PATCH[dimensions]
    sizes = [min(a, -(-n // least) * least) for a, n in zip(most, shape, strict=True)]
    found = _multiple((sizes[0], sizes[1], sizes[2]), least)
    return (1, found[1], found[2]) if dimensions == 2 else found


def _multiple(patch: tuple[int, int, int], least: int) -> tuple[int, int, int]:
    sizes = [max(n // least, 1) * least for n in patch]
    return sizes[0], sizes[1], sizes[2]


def _class(name: str, at: int) -> Class:
    import colorsys

    red, green, blue = colorsys.hsv_to_rgb(at * 0.618 % 1, 0.7, 0.95)
    return Class(name=name, colour=(round(red * 255), round(green * 255), round(blue * 255)))


def _intensity(reads: Sequence[Read], modality: str) -> Intensity:
    if modality != "CT":
        return Intensity(kind="percentiles", low=_CUT[0], high=_CUT[1])
    drawn = np.concatenate([one.volume.array[one.mask > 0].ravel()[::7] for one in reads])
    low, high = np.percentile(drawn, _CUT)
    return Intensity(kind="range", low=round(float(low)), high=round(float(high)) + 1)
