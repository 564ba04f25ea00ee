"""A simulated chest: ellipsoids of HU on a grid, with trees of vessels, blur and noise.

No patient is behind it.  Positions are millimetres (z to the head, y to the back, x to the left)
from the middle of the chest.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from assistant.imaging.volume import Grid, Mask, Volume
from eval.clinical.detection.scars import add_scars
from eval.clinical.detection.vessel_tree import grow

Field = NDArray[np.float32]
Spacing = tuple[float, float, float]

FAT, MUSCLE, BLOOD, BONE, MARROW = -100, 50, 45, 700, 250
AIR, GAS = -1000, -995

Feature = Literal[
    "one_lung",
    "touching",
    "effusion",
    "pneumothorax",
    "arms",
    "bowel_gas",
    "table",
    "emphysema",
    "contrast",
    "scars",
]


@dataclass(frozen=True, slots=True)
class Chest:
    """What is simulated.  ``size`` scales the patient; ``reach`` is the part of z imaged."""

    spacing: Spacing = (2.5, 1.5, 1.5)
    size: float = 1.0
    reach: tuple[float, float] = (-190.0, 190.0)
    features: frozenset[Feature] = frozenset()
    noise: float = 15.0
    seed: int = 0
    vessels: bool = True
    wide: float = 400.0


@dataclass(slots=True)
class Scene:
    """HU before blur and noise, and the truth beside it."""

    chest: Chest
    hu: Field
    places: tuple[Field, Field, Field]
    truth: dict[str, Mask] = field(default_factory=dict)

    def ellipsoid(self, centre: tuple[float, ...], radii: tuple[float, ...]) -> Mask:
        """Voxels within; lengths scale with the patient."""
        size = self.chest.size
        inside = sum(
            ((place - c * size) / (r * size)) ** 2
            for place, c, r in zip(self.places, centre, radii, strict=True)
        )
        return np.asarray(inside <= 1)

    def volume(self) -> Volume:
        """The image: blurred by the scanner, with noise that has a grain."""
        rng = np.random.default_rng(self.chest.seed + 1)
        spread = tuple(0.6 / size for size in self.chest.spacing)
        image = ndimage.gaussian_filter(self.hu, spread)
        if self.chest.noise:
            grain = ndimage.gaussian_filter(
                rng.standard_normal(self.hu.shape, np.float32), (0, 0.6, 0.6)
            )
            image += grain * np.float32(self.chest.noise / grain.std())
        z, y, x = (float(place.ravel()[0]) for place in self.places)
        grid = Grid(self.hu.shape, self.chest.spacing, np.array([x, y, z]))
        return Volume(np.round(image).clip(-1024, 3071), grid, "CT", "HU")


def simulated(chest: Chest) -> Scene:
    """A chest with its truth: ``left``, ``right`` (lungs), ``trachea``."""
    scene = _empty(chest)
    has = chest.features
    body = scene.ellipsoid((0, 0, 0), (900, 120, 175))
    scene.hu[body] = FAT
    scene.hu[scene.ellipsoid((0, 0, 0), (900, 108, 162))] = MUSCLE
    left, right = _lungs(scene)
    _spine_and_ribs(scene, left | right)
    _heart(scene, left, right)
    _airways(scene, left, right)
    lung_hu = -890 if "emphysema" in has else -850
    rng = np.random.default_rng(chest.seed)
    grain = ndimage.gaussian_filter(rng.standard_normal(scene.hu.shape, np.float32), 2.0)
    texture = grain / grain.std() * np.float32(25)
    for lung in (left, right):
        scene.hu[lung] = lung_hu + texture[lung]
    if chest.vessels:
        for name, lung, side in (("left", left, 1.0), ("right", right, -1.0)):
            if lung.any():
                tree = grow(lung, _hilum(scene, side), chest.spacing, scene.places, rng)
                scene.hu[tree > 0] = np.maximum(scene.hu, -850 + tree * 890)[tree > 0]
                scene.truth[f"vessels_{name}"] = tree > 0.5
    if "scars" in has:
        add_scars(scene.hu, left | right, scene.places, chest.spacing, chest.size, rng)
    _disease(scene, left, right)
    scene.truth |= {"left": left, "right": right, "body": body}
    _around(scene)
    return scene


def _empty(chest: Chest) -> Scene:
    depth, wide = 300 * chest.size, chest.wide * chest.size
    ends = (chest.reach, (-depth / 2, depth / 2), (-wide / 2, wide / 2))
    z, y, x = (
        np.arange(low, high, step).astype(np.float32)
        for (low, high), step in zip(ends, chest.spacing, strict=True)
    )
    places = (z[:, None, None], y[None, :, None], x[None, None, :])
    return Scene(chest, np.full((len(z), len(y), len(x)), AIR, np.float32), places)


def _lungs(scene: Scene) -> tuple[Mask, Mask]:
    has = scene.chest.features
    middle = 68.0 if "touching" not in has else 60.0
    wide = 62.0
    left = scene.ellipsoid((0, 0, middle), (140, 90, wide))
    right = scene.ellipsoid((0, 0, -middle), (140, 90, wide))
    dome_left = scene.ellipsoid((-150, 10, 75), (95, 120, 85))
    dome_right = scene.ellipsoid((-140, 10, -75), (95, 120, 85))
    left &= ~dome_left
    right &= ~dome_right
    if "one_lung" in has:
        left[:] = False
    return left, right & ~left


def _hilum(scene: Scene, side: float) -> tuple[float, float, float]:
    size = scene.chest.size
    return 5 * size, 10 * size, side * 26 * size


def _spine_and_ribs(scene: Scene, lungs: Mask) -> None:
    z, y, x = scene.places
    size = scene.chest.size
    column = ((y - 78 * size) / (17 * size)) ** 2 + (x / (20 * size)) ** 2
    disc = np.mod(z, 26 * size) < 5 * size
    scene.hu[np.broadcast_to((column <= 1) & ~disc, scene.hu.shape)] = BONE
    scene.hu[np.broadcast_to((column <= 0.75) & ~disc, scene.hu.shape)] = MARROW
    scene.hu[np.broadcast_to((column <= 1) & disc, scene.hu.shape)] = 80
    ring = np.sqrt((y / (99 * size)) ** 2 + (x / (140 * size)) ** 2)
    slope = z + 0.35 * y
    rib = (np.abs(ring - 1) < 0.03) & (np.mod(slope, 24 * size) < 8 * size)
    scene.hu[rib & ~lungs & (np.abs(z) < 160 * size)] = BONE


def _heart(scene: Scene, left: Mask, right: Mask) -> None:
    heart = scene.ellipsoid((-35, -22, 18), (55, 42, 48))
    left &= ~heart
    right &= ~heart
    bright = 260 if "contrast" in scene.chest.features else BLOOD
    scene.hu[heart] = bright
    _, y, x = scene.places
    size = scene.chest.size
    aorta = (y - 48 * size) ** 2 + (x - 18 * size) ** 2 <= (12 * size) ** 2
    aorta = np.broadcast_to(aorta, scene.hu.shape)
    scene.hu[aorta] = bright
    left &= ~aorta
    right &= ~aorta


def _airways(scene: Scene, left: Mask, right: Mask) -> None:
    """A trachea to the carina, and two main bronchi to the hila, each with a wall."""
    z, y, x = scene.places
    size = scene.chest.size
    lumen = np.zeros(scene.hu.shape, bool)
    wall = np.zeros(scene.hu.shape, bool)
    for radius, mask in ((9.0, lumen), (11.5, wall)):
        tube = ((y - 10 * size) ** 2 + x**2 <= (radius * size) ** 2) & (z >= 35 * size)
        mask |= np.broadcast_to(tube, mask.shape)
        for side in (1.0, -1.0):
            along = (38 * size - z) / (30 * size)
            centre = side * along * 26 * size
            bronchus = (y - 10 * size) ** 2 + (x - centre) ** 2 <= ((radius - 3) * size) ** 2
            mask |= bronchus & (along >= 0) & (along <= 1)
    scene.hu[wall] = MUSCLE
    scene.hu[lumen] = GAS
    scene.truth["airways"] = lumen
    scene.truth["trachea"] = lumen & (z > 38 * size)
    left &= ~wall
    right &= ~wall


def _disease(scene: Scene, left: Mask, right: Mask) -> None:
    has = scene.chest.features
    z, y, _ = scene.places
    size = scene.chest.size
    if "effusion" in has:
        fluid = right & (y - 0.3 * z > 40 * size)
        scene.hu[fluid] = 12
        right &= ~fluid
    if "pneumothorax" in has:
        free = right & (y < -45 * size)
        rind = right & (np.abs(y + 45 * size) < 3)
        scene.hu[free] = GAS
        scene.hu[rind] = 0
        scene.truth["pneumothorax"] = free
        right &= ~(free | rind)
    if "bowel_gas" in has:
        for centre, radii in (((-125, -50, 70), (22, 22, 30)), ((-172, -60, -20), (14, 20, 60))):
            gas = scene.ellipsoid(centre, radii) & ~left & ~right
            scene.hu[gas] = GAS
            scene.truth["bowel_gas"] = scene.truth.get("bowel_gas", False) | gas


def _around(scene: Scene) -> None:
    _, y, x = scene.places
    if "arms" in scene.chest.features:
        for side in (1, -1):
            arm = (y / 38) ** 2 + ((x - side * 212 * scene.chest.size) / 34) ** 2
            inside = np.broadcast_to(arm <= 1, scene.hu.shape)
            scene.hu[inside] = MUSCLE
            scene.hu[np.broadcast_to(arm <= 0.12, scene.hu.shape)] = BONE
    if "table" in scene.chest.features:
        shell = (np.abs(y - 134) <= 10) & (np.abs(x) < 190)
        foam = (np.abs(y - 134) <= 7) & (np.abs(x) < 185)
        scene.hu[np.broadcast_to(shell, scene.hu.shape)] = 0
        scene.hu[np.broadcast_to(foam, scene.hu.shape)] = -900
