"""Filters that are a product of one kernel an axis: mean, Laws and separable wavelets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import permutations, product

import numpy as np
from scipy import ndimage

from assistant.imaging.volume import Floats

MODES = {"zero": "constant", "nearest": "nearest", "periodic": "wrap", "mirror": "reflect"}
"""The boundary conditions of IBSI-2 as `scipy.ndimage` calls them."""


def convolved(image: Floats, kernels: Sequence[Floats | None], boundary: str) -> Floats:
    """``image`` with a kernel of odd length along each axis; None leaves an axis as it is."""
    found = image
    for axis, kernel in enumerate(kernels):
        if kernel is not None:
            found = ndimage.convolve1d(found, kernel, axis, mode=MODES[boundary])
    return found


def turns(count: int) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """(order, flips) of every turn by right angles: 4 of two axes, 24 of three."""
    for order in permutations(range(count)):
        # The sign of the permutation; a turn has the determinant 1.
        sign = round(float(np.linalg.det(np.eye(count)[list(order)])))
        for flips in product((1, -1), repeat=count):
            if sign * int(np.prod(flips)) == 1:
                yield order, flips


def turned(kernels: Sequence[Floats], order: Sequence[int], flips: Sequence[int]) -> list[Floats]:
    """The kernels of a turn: those of other axes, reversed where the turn reverses an axis."""
    return [kernels[at][::flip] for at, flip in zip(order, flips, strict=True)]


def pooled(
    image: Floats, steps: Sequence[Sequence[Floats]], boundary: str, invariant: bool, pooling: str
) -> Floats:
    """The response to ``steps``, each a kernel for each of the last axes, or over all their turns.

    Turns that come to the same kernels are computed once.
    """
    free = [None] * (image.ndim - len(steps[0]))

    def response(chain: Sequence[Sequence[Floats]]) -> Floats:
        found = image
        for step in chain:
            found = convolved(found, [*free, *step], boundary)
        return found

    if not invariant:
        return response(steps)
    chains: dict[bytes, list[list[Floats]]] = {}
    weights: Counter[bytes] = Counter()
    for order, flips in turns(len(steps[0])):
        chain = [turned(step, order, flips) for step in steps]
        key = b"|".join(np.ascontiguousarray(k).tobytes() for step in chain for k in step)
        chains[key] = chain
        weights[key] += 1
    total: Floats = np.full(image.shape, -np.inf if pooling == "max" else 0.0)
    for key, chain in chains.items():
        if pooling == "max":
            np.maximum(total, response(chain), out=total)
        else:
            total += response(chain) * (weights[key] / weights.total())
    return total


def box_mean(image: Floats, support: int, boundary: str, axes: int) -> Floats:
    """The mean over ``support`` voxels along each of the last ``axes`` axes."""
    found = image
    for axis in range(image.ndim - axes, image.ndim):
        found = ndimage.uniform_filter1d(found, support, axis, mode=MODES[boundary])
    return found
