"""Structures of CT found by thresholds, growing and morphology: no weights, no training.

`segment_ct` is for research; where there is nothing to find it says so rather than guess.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from assistant.imaging.ct.structure import Structure, read

if TYPE_CHECKING:
    from assistant.imaging.volume import Mask, Volume

__all__ = ["STRUCTURES", "Structure", "segment_ct"]

STRUCTURES = read()

Report = Callable[[int, int, str], None]
"""(done, total, what)."""


def segment_ct(
    volume: Volume, names: Sequence[str] | None = None, progress: Report | None = None
) -> dict[str, Mask]:
    """Masks by name on the grid of ``volume``, in the order of `STRUCTURES`.

    ``names``: those that are wanted; by default all that the image has, and what it has not is
    left out.  Raises `ImageProblem` for what is no CT, for a name that is not known, and for a
    structure that was named and is not in the image (“no lungs in this image”).
    """
    from assistant.imaging.ct.pipeline import segment

    return segment(volume, names, progress or (lambda done, total, what: None))
