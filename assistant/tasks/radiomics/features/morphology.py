"""The shape of a region, from its surface mesh and its voxels (IBSI, 3.1)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError

from assistant.imaging.volume import Floats
from assistant.tasks.radiomics.features.autocorrelation import autocorrelation
from assistant.tasks.radiomics.features.enclosing import (
    ellipsoid_area,
    enclosing_ellipsoid,
    smallest_box,
)
from assistant.tasks.radiomics.region import Prepared
from assistant.tasks.radiomics.resampling import box


@dataclass(frozen=True, slots=True)
class Mesh:
    """Corners (n, 3) in mm and triangles (m, 3) of their numbers."""

    corners: Floats
    triangles: NDArray[np.int64]

    @property
    def volume(self) -> float:
        """mm³, from the tetrahedra of the triangles and the origin."""
        a, b, c = (self.corners[self.triangles[:, k]] for k in range(3))
        return float(abs(np.einsum("ij,ij->", a, np.cross(b, c)) / 6))

    @property
    def area(self) -> float:
        """mm²."""
        a, b, c = (self.corners[self.triangles[:, k]] for k in range(3))
        return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)


def mesh(region: Prepared) -> Mesh:
    """The surface half way between voxels inside and outside (marching cubes)."""
    from skimage.measure import marching_cubes

    mask = np.pad(region.shape_mask[box(region.shape_mask)], 1)
    corners, triangles, _, _ = marching_cubes(mask.astype(np.float32), 0.5)
    # Corners lie at halves of voxels, which are exact; the spacing would be applied in 32 bits.
    return Mesh(corners.astype(np.float64) * region.spacing, triangles.astype(np.int64))


def morphology(region: Prepared) -> dict[str, float]:
    """The features by their tags; mm and what follows from it."""
    surface = mesh(region)
    volume, area = surface.volume, surface.area
    found = _compactness(volume, area)
    found["morph_vol_approx"] = float(region.shape_mask.sum() * np.prod(region.spacing))
    found["morph_integ_int"] = float(region.values.mean() * volume)
    found["morph_com"] = _centre_shift(region)
    found |= _axes(region, volume, area)
    found |= _enclosed(surface, volume, area)
    return found | autocorrelation(region)


def _compactness(volume: float, area: float) -> dict[str, float]:
    cubed = 36 * np.pi * volume**2 / area**3
    return {
        "morph_volume": volume,
        "morph_area_mesh": area,
        "morph_av": area / volume,
        "morph_comp_1": volume / (np.sqrt(np.pi) * area**1.5),
        "morph_comp_2": cubed,
        "morph_sph_dispr": cubed ** (-1 / 3),
        "morph_sphericity": cubed ** (1 / 3),
        "morph_asphericity": cubed ** (-1 / 3) - 1,
    }


def _centre_shift(region: Prepared) -> float:
    """From the centre of the shape to that of the intensities, mm."""
    shape = np.argwhere(region.shape_mask).mean(0)
    weights = region.values
    total = weights.sum()
    if not total:
        return float("nan")
    intensity = (np.argwhere(region.mask) * weights[:, None]).sum(0) / total
    return float(np.linalg.norm((shape - intensity) * region.spacing))


def _axes(region: Prepared, volume: float, area: float) -> dict[str, float]:
    """Lengths of the principal axes, and the ellipsoid that has them."""
    places = np.argwhere(region.shape_mask) * np.asarray(region.spacing)
    # With the number of voxels less one: what the reference values were made with.
    spread = np.linalg.eigvalsh(np.cov(places.T)) if len(places) > 1 else np.zeros(3)
    least, minor, major = 4 * np.sqrt(np.maximum(spread, 0))
    aee_volume = np.pi / 6 * least * minor * major
    flat = not least > 1e-9
    return {
        "morph_pca_maj_axis": float(major),
        "morph_pca_min_axis": float(minor),
        "morph_pca_least_axis": float(least),
        "morph_pca_elongation": float(minor / major),
        "morph_pca_flatness": float(least / major),
        "morph_vol_dens_aee": float("nan") if flat else float(volume / aee_volume),
        "morph_area_dens_aee": float("nan")
        if flat
        else area / ellipsoid_area(major / 2, minor / 2, least / 2),
    }


def _enclosed(surface: Mesh, volume: float, area: float) -> dict[str, float]:
    """How full the hull, the boxes and the ellipsoid around the surface are."""
    sides = np.ptp(surface.corners, axis=0)
    found = {
        "morph_vol_dens_aabb": volume / float(np.prod(sides)),
        "morph_area_dens_aabb": area / _box_area(sides),
    }
    try:
        hull = ConvexHull(surface.corners)
    except QhullError:
        return found
    corners = surface.corners[hull.vertices]
    apart = corners[:, None] - corners if len(corners) < 3000 else None
    longest = (
        np.sqrt((apart**2).sum(-1).max())
        if apart is not None
        else max(np.linalg.norm(corners - one, axis=1).max() for one in corners)
    )
    sides = smallest_box(corners, corners[_numbered(hull)])
    semi = enclosing_ellipsoid(corners)
    return found | {
        "morph_diam": float(longest),
        "morph_vol_dens_conv_hull": volume / float(hull.volume),
        "morph_area_dens_conv_hull": area / float(hull.area),
        "morph_vol_dens_ombb": volume / float(np.prod(sides)),
        "morph_area_dens_ombb": area / _box_area(sides),
        "morph_vol_dens_mvee": volume / float(4 / 3 * np.pi * np.prod(semi)),
        "morph_area_dens_mvee": area / ellipsoid_area(*sorted(semi, reverse=True)),
    }


def _numbered(hull: ConvexHull) -> NDArray[np.int64]:
    """The hull's triangles by the numbers of its own corners."""
    number = np.zeros(len(hull.points), np.int64)
    number[hull.vertices] = np.arange(len(hull.vertices))
    found: NDArray[np.int64] = number[hull.simplices]
    return found


def _box_area(sides: Floats) -> float:
    a, b, c = sides
    return float(2 * (a * b + a * c + b * c))
