"""A simulated chest with nodules of known size, as a volume and as DICOM slices."""

from __future__ import annotations

from functools import cache

import numpy as np
from imaging_samples import ct_slice, written
from scipy import ndimage

from assistant.imaging.volume import Volume
from eval.clinical.detection.nodule import Kind, Nodule, insert
from eval.clinical.detection.thorax import Chest, simulated

SPACING = (2.0, 1.2, 1.2)


@cache
def chest(*wanted: tuple[str, Kind, float]) -> tuple[Volume, tuple[Nodule, ...]]:
    """A chest with a nodule for each (side, kind, diameter in mm), away from vessels and pleura."""
    scene = simulated(Chest(spacing=SPACING, size=0.8, reach=(-50, 50), noise=12, seed=4))
    rng = np.random.default_rng(2)
    dense = scene.truth["vessels_left"] | scene.truth["vessels_right"]
    nodules = []
    for side, kind, diameter in wanted:
        free = scene.truth[side] & ~dense
        depth = ndimage.distance_transform_edt(free, SPACING)
        fit = np.flatnonzero(depth > min(diameter / 2 + 5, 0.9 * depth.max()))
        z, y, x = np.unravel_index(fit[rng.integers(len(fit))], free.shape)
        one = Nodule((float(z), float(y), float(x)), diameter, kind, "within")
        insert(scene.hu, one, SPACING, rng)
        nodules.append(one)
    return scene.volume(), tuple(nodules)


def slices(volume: Volume) -> list[bytes]:
    """The volume as DICOM files."""
    grid = volume.grid
    found = []
    for number, plane in enumerate(volume.array):
        x, y, z = (float(v) for v in grid.positions(np.array([[number, 0.0, 0.0]]))[0])
        one = ct_slice(
            0,
            SOPInstanceUID=f"1.2.826.0.1.3680043.8.498.77.3.{number + 1}",
            ImagePositionPatient=[round(x, 3), round(y, 3), round(z, 3)],
            PixelSpacing=[grid.spacing[1], grid.spacing[2]],
            SliceThickness=grid.spacing[0],
            Rows=plane.shape[0],
            Columns=plane.shape[1],
            PixelData=(plane + 1024).astype("<u2").tobytes(),
        )
        one.file_meta.MediaStorageSOPInstanceUID = one.SOPInstanceUID
        found.append(written(one))
    return found
