"""Phantoms analysed as a user's study is, and how far the maps are from the truth."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from assistant.imaging.volume import Grid
from assistant.tasks.perfusion.analysis import Analysis, analysed
from assistant.tasks.perfusion.settings import PerfusionSettings
from assistant.tasks.perfusion.study import Study, checked_times
from eval.clinical.perfusion.phantom import Phantom, Recipe, made

MAPS = ("cbf", "cbv", "mtt", "tmax")
_Change = tuple[str, dict[str, object]]

CLINICAL = 4.0
"""HU of a voxel of 0.85 × 0.85 × 5 mm: what 5 to 8 HU at 512 × 512 are after the averaging over
2 × 2 pixels."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A name, and what phantom is made under it."""

    name: str
    recipe: Recipe


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one phantom and method.  ``correlation`` and ``error`` by map over the tissue: the error
    is the median relative one in %, of Tmax the median one in s."""

    condition: str
    method: str
    correlation: dict[str, float]
    error: dict[str, float]
    core_ml: tuple[float, float]
    late_ml: tuple[float, float]
    voxels: int
    seconds: float


def conditions(rows: int = 256, slices: int = 3, seed: int = 1) -> list[Condition]:
    """Noise, delay, residue, motion and step in turn, from the clinical case."""
    usual = Recipe(
        shape=(slices, rows, rows),
        spacing=(5.0, 218 / rows, 218 / rows),
        noise=CLINICAL,
        seed=seed,
    )
    noises: list[_Change] = [(f"noise {v:g} HU", {"noise": v}) for v in (1.0, 2.0, 6.0, 8.0)]
    delays: list[_Change] = [(f"delay {v:g} s", {"healthy_delay": v}) for v in (0.0, 2.0, 5.0)]
    changes: list[_Change] = [
        ("clinical", {}),
        *noises,
        *delays,
        ("residue box", {"residue": "box"}),
        ("residue linear", {"residue": "linear"}),
        ("every 2 s", {"step": 2.0, "times": 30}),
        ("motion 4 mm", {"motion": 4.0}),
        ("no stroke", {"stroke": False}),
    ]
    return [Condition(name, replace(usual, **changed)) for name, changed in changes]  # type: ignore[arg-type]


def outcomes(asked: list[Condition], methods: tuple[str, ...]) -> Iterator[Outcome]:
    """Each phantom analysed by each method."""
    for condition in asked:
        phantom = made(condition.recipe)
        for method in methods:
            started = time.perf_counter()
            found = analysed(study(phantom), PerfusionSettings.model_validate({"method": method}))
            yield compared(condition.name, method, phantom, found, time.perf_counter() - started)


def study(phantom: Phantom) -> Study:
    """The phantom as a study of CT that was read from files."""
    grid = Grid(phantom.recipe.shape, phantom.recipe.spacing)
    times = checked_times(phantom.times, phantom.recipe.shape[0])
    return Study(phantom.array, times, grid, grid, 1, "CT")


def truth_of_lesion(phantom: Phantom) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Core and hypoperfused tissue by the task's own thresholds, on the true maps."""
    ill = phantom.core | phantom.penumbra
    columns = np.arange(phantom.recipe.shape[2])
    healthy = phantom.tissue & (columns < columns.mean())
    core = ill & (phantom.cbf < 0.3 * np.median(phantom.cbf[healthy]))
    return core, (phantom.tissue & (phantom.delay > 6)) | core


def compared(name: str, method: str, phantom: Phantom, found: Analysis, seconds: float) -> Outcome:
    """How far the maps are from the truth over the tissue that both have."""
    truth = dict(zip(MAPS, (phantom.cbf, phantom.cbv, phantom.mtt, phantom.delay), strict=True))
    where = phantom.tissue & found.tissue
    correlation, error = {}, {}
    for key, true in truth.items():
        ours, right = found.maps[key][where], true[where]
        # Where nothing differs in truth there is nothing to correlate with.
        varies = right.std() > 1e-3
        correlation[key] = float(np.corrcoef(ours, right)[0, 1]) if varies else 1.0
        apart = ours - right if key == "tmax" else (ours / np.maximum(right, 1e-6) - 1) * 100
        error[key] = float(np.median(apart))
    core, late = truth_of_lesion(phantom)
    voxel = found.study.voxel_ml
    return Outcome(
        name,
        method,
        correlation,
        error,
        (float(found.lesion.core.sum()) * voxel, phantom.millilitres(core)),
        (float(found.lesion.hypoperfused.sum()) * voxel, phantom.millilitres(late)),
        int(where.sum()),
        seconds,
    )
