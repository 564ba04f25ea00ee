"""Where in an image a class is seen: parts are covered, and how much its score falls is theirs
(Zeiler and Fergus, Visualizing and understanding convolutional networks, 2014).  No gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from serving.vision.classifier import Floats, Image
from serving.vision.problem import Cancelled
from serving.vision.window import starts

Scores = Callable[[Iterator[Image]], Floats]
Report = Callable[[int, int, str], None]

_ACROSS = {2: 8, 3: 6}
"""Covers along each axis, by the number of dimensions; twice as many are laid, half over half."""


def heat_map(
    scores: Scores,
    image: Image,
    number: int,
    whole: float,
    *,
    exclusive: bool = True,
    report: Report | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> NDArray[np.float32]:
    """By how much the score of class ``number`` falls where a pixel is covered, of the image's
    size without channels; below 0 where covering it raises the score.

    ``whole``: the score (logit) of the uncovered image, against the likeliest other class where
    classes exclude each other.  A cover is the image blurred by its size (Fong and Vedaldi,
    Interpretable explanations of black boxes, 2017): a patch of one colour would be a sign itself.

    Raises:
        Cancelled: ``cancelled`` said so.
    """
    sizes = image.shape[1:]
    across = _ACROSS[len(sizes)]
    cover = [max(size // across, 1) for size in sizes]
    places = _places(sizes, cover)
    plain = _blurred(image, cover)

    def covered() -> Iterator[Image]:
        for done, place in enumerate(places):
            if cancelled():
                raise Cancelled
            if report is not None:
                report(done + 1, len(places), "热图 heat map")
            other = image.copy()
            other[(slice(None), *place)] = plain[(slice(None), *place)]
            yield other

    falls: Floats = whole - margin(scores(covered()), number, exclusive)
    total = np.zeros(sizes, np.float32)
    times = np.zeros(sizes, np.float32)
    for place, fall in zip(places, falls.tolist(), strict=True):
        total[place] += np.float32(fall)
        times[place] += 1
    found = np.asarray(total / np.maximum(times, 1), np.float32)
    return found


def _places(sizes: Sequence[int], cover: Sequence[int]) -> list[tuple[slice, ...]]:
    """Covers half over half, in every axis."""
    lines = [starts(size, side, 0.5) for size, side in zip(sizes, cover, strict=True)]
    return [
        tuple(slice(at, at + side) for at, side in zip(corner, cover, strict=True))
        for corner in product(*lines)
    ]


def margin(scores: Floats, number: int, exclusive: bool = True) -> Floats:
    """[image]: the logit of a class, less that of the likeliest other one where they exclude each
    other."""
    if not exclusive or scores.shape[1] < 2:
        return scores[:, number]
    rest = np.delete(scores, number, axis=1).max(axis=1)
    found: Floats = scores[:, number] - rest
    return found


def _blurred(image: Image, cover: Sequence[int]) -> Image:
    """Each channel without anything as small as a cover."""
    from scipy import ndimage

    widths = [size / 2 for size in cover]
    return np.stack([ndimage.gaussian_filter(one, widths, mode="nearest") for one in image])
