"""Undecimated separable wavelets (IBSI-2, 25BO)."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import numpy as np

from assistant.imaging.volume import Floats
from assistant.tasks.radiomics.filters.choice import Wavelet
from assistant.tasks.radiomics.filters.separable import pooled

TABLE = Path(__file__).parents[1] / "data" / "wavelets.tsv"


@cache
def low_pass(family: str) -> Floats:
    """The low pass of a decomposition, of the norm 1 (Daubechies 1992, tables 6.1 and 8.1)."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = {row["family"]: row["low_pass"] for row in csv.DictReader(file, delimiter="\t")}
    name = "db1" if family == "haar" else family
    return np.array([float(number) for number in rows[name].split()])


def high_pass(low: Floats) -> Floats:
    """The quadrature mirror of a low pass: reversed, every other sign changed."""
    found: Floats = low[::-1] * (-1.0) ** (np.arange(len(low)) + 1)
    return found


def spread(kernel: Floats, level: int) -> Floats:
    """The kernel of a level of the algorithme à trous: zeros in between, of odd length.

    An even kernel is given a zero at its end before, so that its centre stays where it was.
    """
    whole = kernel if len(kernel) % 2 else np.append(kernel, 0.0)
    step = 2 ** (level - 1)
    found = np.zeros((len(whole) - 1) * step + 1)
    found[::step] = whole
    return found


def wavelet(image: Floats, one: Wavelet) -> Floats:
    """The response at ``one.level``: the levels before it are low passes."""
    low = low_pass(one.family)
    high = high_pass(low)
    steps = [[spread(low, level)] * len(one.passes) for level in range(1, one.level)]
    # The passes are named along x, y and z; the axes of the array are z, y and x.
    steps.append([spread(low if p == "L" else high, one.level) for p in reversed(one.passes)])
    return pooled(image, steps, one.boundary, one.rotation_invariance, one.pooling)
