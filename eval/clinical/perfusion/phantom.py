"""A head whose perfusion is known: skull, vessels, grey and white matter, CSF, a stroke.

Arterial input: a gamma variate with recirculation; tissue: that, delayed, through a residue
function (exponential, box or linear) of known mean transit time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

ResidueName = Literal["exponential", "box", "linear", "gamma"]
Floats = NDArray[np.float64]
Image = NDArray[np.float32]
FINE = 0.1  # s
BLOOD = 100 * 0.55 / 0.75 / 1.04
"""ml of blood in 100 g: (1 − 0.45) / (1 − 0.25) / 1.04 g/ml, as the task has it."""

TISSUES = {"grey": (60.0, 4.0, 37.0), "white": (25.0, 2.0, 29.0)}
"""Name: CBF ml/100 g/min, CBV ml/100 g, HU."""

CORE, PENUMBRA = (0.15, 0.45), (0.55, 1.15)
"""Of the healthy CBF and CBV (Kudo et al., Radiology 2013; 267: 201 for the ranges)."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What phantom is made.  ``noise``: HU of a voxel of the analysed grid; ``delay``: s, of the
    penumbra; ``motion``: mm of the greatest shift."""

    shape: tuple[int, int, int] = (6, 128, 128)
    spacing: tuple[float, float, float] = (5.0, 1.7, 1.7)
    times: int = 50
    step: float = 1.0
    residue: ResidueName = "exponential"
    noise: float = 4.0
    delay: float = 7.0
    healthy_delay: float = 1.0
    motion: float = 0.0
    stroke: bool = True
    arterial_share: float = 0.7
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Phantom:
    """Frames [time, slice, row, column] in HU and the truth on the same grid."""

    recipe: Recipe
    array: Image
    times: Floats
    cbf: Image
    cbv: Image
    mtt: Image
    delay: Image
    tissue: NDArray[np.bool_]
    core: NDArray[np.bool_]
    penumbra: NDArray[np.bool_]
    artery: Floats
    extra: dict[str, float] = field(default_factory=dict)

    def millilitres(self, mask: NDArray[np.bool_]) -> float:
        """The volume of a part."""
        return float(mask.sum() * np.prod(self.recipe.spacing) / 1000)


def gamma_variate(times: Floats, start: float, peak: float, alpha: float, beta: float) -> Floats:
    """A (t − t0)^α e^(−(t − t0)/β) with the greatest value ``peak``."""
    t = np.maximum(times - start, 0)
    greatest = (alpha * beta) ** alpha * np.exp(-alpha)
    found: Floats = peak * t**alpha * np.exp(-t / beta) / greatest
    return found


def arterial_input(fine: Floats, start: float = 8.0) -> Floats:
    """HU over the baseline of a large artery: first pass, and a lower, broader second one."""
    first = gamma_variate(fine, start, 350.0, 3.0, 1.5)
    second = gamma_variate(fine, start + 9, 45.0, 3.0, 5.0)
    return first + second


def residue_function(name: ResidueName, fine: Floats, mtt: float) -> Floats:
    """R(t), 1 at 0, with the area ``mtt``."""
    if name == "exponential":
        return np.exp(-fine / mtt)
    if name == "box":
        return (fine < mtt).astype(float)
    if name == "linear":
        return np.maximum(1 - fine / (2 * mtt), 0)
    from scipy.stats import gamma

    found: Floats = gamma.sf(fine, 4, scale=mtt / 4)
    return found


def made(recipe: Recipe) -> Phantom:
    """The phantom of a recipe."""
    random = np.random.default_rng(recipe.seed)
    grid = _Head(recipe, random)
    times = np.arange(recipe.times, dtype=np.float64) * recipe.step
    fine = np.arange(0, times[-1] + FINE / 2, FINE)
    inflow = arterial_input(fine)
    enhancement = _tissue_curves(recipe, grid, fine, inflow, times)
    artery = np.interp(times, fine, inflow)
    vein = np.interp(times, fine, _through(inflow, residue_function("gamma", fine, 4.0), fine, 2.0))
    enhancement[:, grid.arteries] = (recipe.arterial_share * artery)[:, None]
    enhancement[:, grid.veins] = vein[:, None]
    array = enhancement + grid.before
    if recipe.motion:
        array = _moved(array, recipe, random)
    array += random.normal(0, recipe.noise, array.shape).astype(np.float32)
    return Phantom(
        recipe,
        array.astype(np.float32),
        times,
        grid.cbf,
        grid.cbv,
        grid.mtt,
        grid.delay,
        grid.tissue,
        grid.core,
        grid.penumbra,
        artery,
    )


class _Head:
    """The maps of the truth, and the head before contrast."""

    def __init__(self, recipe: Recipe, random: np.random.Generator) -> None:
        slices, rows, columns = recipe.shape
        y = np.linspace(-1.05, 1.05, rows)[None, :, None]
        x = np.linspace(-1.2, 1.2, columns)[None, None, :]
        z = np.linspace(-0.5, 0.5, slices)[:, None, None]
        size = np.sqrt(1 - 0.3 * z**2)
        radius = np.sqrt((x / (0.85 * size)) ** 2 + (y / size) ** 2)
        brain = radius < 0.86
        skull = (radius >= 0.88) & (radius < 0.97)
        self.before = np.full(recipe.shape, -1000, np.float32)
        self.before[radius < 1] = 20.0
        self.before[skull] = 900.0
        folds = 0.05 * np.cos(9 * np.arctan2(y, x))
        white = (radius < 0.60 + folds) & (radius > 0.0)
        deep = ((np.abs(x) - 0.22) / 0.10) ** 2 + ((y - 0.02) / 0.16) ** 2 < 1
        csf = ((np.abs(x) - 0.08) / 0.05) ** 2 + (y / 0.28) ** 2 < 1
        csf = csf | ((radius >= 0.86) & (radius < 0.88))
        grey = brain & ~csf & (~white | deep)
        white = brain & ~csf & ~grey
        self.before[np.broadcast_to(csf, recipe.shape)] = 6.0
        self.tissue = grey | white
        self._stroke(recipe, x, y, z)
        self._values(recipe, grey, white, random)
        self._vessels(recipe)

    def _stroke(self, recipe: Recipe, x: Floats, y: Floats, z: Floats) -> None:
        inside = ((x - 0.47) / 0.32) ** 2 + ((y + 0.05) / 0.48) ** 2 + (z / 0.9) ** 2 < 1
        middle = ((x - 0.45) / 0.17) ** 2 + ((y + 0.05) / 0.27) ** 2 + (z / 0.7) ** 2 < 1
        self.core = self.tissue & middle & recipe.stroke
        self.penumbra = self.tissue & inside & ~middle & recipe.stroke

    def _values(
        self,
        recipe: Recipe,
        grey: NDArray[np.bool_],
        white: NDArray[np.bool_],
        random: np.random.Generator,
    ) -> None:
        shape = recipe.shape
        self.cbf, self.cbv = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        for mask, name in ((grey, "grey"), (white, "white")):
            flow, volume, density = TISSUES[name]
            self.cbf[mask], self.cbv[mask], self.before[mask] = flow, volume, density
        for values, spread in ((self.cbf, 0.12), (self.cbv, 0.12)):
            smooth = ndimage.gaussian_filter(random.normal(size=shape), (1, 7, 7))
            values *= (1 + spread * smooth / smooth.std()).clip(0.6, 1.4).astype(np.float32)
        for mask, (flow, volume) in ((self.core, CORE), (self.penumbra, PENUMBRA)):
            self.cbf[mask] *= flow
            self.cbv[mask] *= volume
        slow = ndimage.gaussian_filter(random.normal(size=shape), (1, 9, 9))
        self.delay = (recipe.healthy_delay * (1 + slow / slow.std() / 2).clip(0, 2)).astype(
            np.float32
        )
        self.delay[self.penumbra] += recipe.delay
        self.delay[self.core] += recipe.delay * 1.4
        self.delay *= self.tissue
        self.mtt = np.where(self.tissue, 60 * self.cbv / np.maximum(self.cbf, 1e-6), 0).astype(
            np.float32
        )

    def _vessels(self, recipe: Recipe) -> None:
        _, rows, columns = recipe.shape
        self.arteries, self.veins = np.zeros(recipe.shape, bool), np.zeros(recipe.shape, bool)
        size = max(1, round(1.8 / recipe.spacing[1]))

        def place(target: NDArray[np.bool_], x: float, y: float, wide: int) -> None:
            row, column = int((y / 2.1 + 0.5) * rows), int((x / 2.4 + 0.5) * columns)
            target[:, row : row + wide, column : column + wide] = True

        for x, y in ((-0.35, -0.3), (0.02, -0.55), (-0.02, -0.6)):
            place(self.arteries, x, y, size + 1)
        place(self.veins, -0.03, 0.79, 2 * size + 1)
        vessels = self.arteries | self.veins
        self.before[vessels] = 45.0
        self.tissue &= ~vessels
        self.core &= ~vessels
        self.penumbra &= ~vessels
        for values in (self.cbf, self.cbv, self.mtt, self.delay):
            values[vessels] = 0


def _through(inflow: Floats, residue: Floats, fine: Floats, delay: float) -> Floats:
    """The outflow of an inflow of the same area: convolved with −dR/dt."""
    spread = -np.diff(residue, append=0.0)
    passed = np.convolve(inflow, spread / spread.sum())[: len(fine)]
    found: Floats = np.interp(fine - delay, fine, passed, left=0.0)
    return found


def _tissue_curves(
    recipe: Recipe, grid: _Head, fine: Floats, inflow: Floats, times: Floats
) -> Image:
    """HU over the baseline of tissue, [time, slice, row, column]."""
    array = np.zeros((len(times), *recipe.shape), np.float32)
    where = np.flatnonzero(grid.tissue.ravel())
    transit = np.round(grid.mtt.ravel()[where] * 10) / 10
    delay = grid.delay.ravel()[where]
    flow = grid.cbf.ravel()[where] / 60 / BLOOD
    flat = array.reshape(len(times), -1)
    for value in np.unique(transit):
        rows = np.flatnonzero(transit == value)
        residue = residue_function(recipe.residue, fine, float(value))
        residue[0] *= 0.5
        through = np.convolve(inflow, residue)[: len(fine)] * FINE
        at = times[:, None] - delay[rows][None]
        flat[:, where[rows]] = np.interp(at, fine, through, left=0.0) * flow[rows]
    # The truth is what was simulated.
    grid.mtt.ravel()[where] = transit
    grid.cbv.ravel()[where] = grid.cbf.ravel()[where] * transit / 60
    return array


def _moved(array: Image, recipe: Recipe, random: np.random.Generator) -> Image:
    """Some frames shifted within the slices and turned."""
    # A scanner blurs edges before it samples them.
    array = ndimage.gaussian_filter(array, (0, 0, 0.6, 0.6))
    for number in range(len(array) // 3, len(array)):
        if number % 4 == 3:
            continue
        share = (number - len(array) // 3) / (len(array) * 2 / 3)
        shift = recipe.motion * share / recipe.spacing[1]
        angle = np.deg2rad(recipe.motion * share * 0.7)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        centre = (np.asarray(array.shape[2:]) - 1) / 2
        offset = centre - turn @ centre + np.array([shift, -0.5 * shift])
        for plane in array[number]:
            plane[...] = ndimage.affine_transform(plane, turn, offset, order=3, mode="nearest")
    return array
