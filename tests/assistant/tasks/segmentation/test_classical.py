"""CT without a network: what the mask has is what was measured."""

from __future__ import annotations

import numpy as np
from chest_samples import chest

from assistant.tasks.segmentation.classical import Classical


def test_the_lungs_of_the_mask_are_whole() -> None:
    found = Classical().segment(chest(("left", "solid", 12.0))[0])
    lungs = [one for one in found.structures if one.name.endswith("lung")]
    assert len(lungs) == 2
    for one in lungs:
        assert np.count_nonzero(found.labels == one.label) == one.voxels


def test_the_vessels_of_the_lungs_are_shown_and_take_nothing_from_them() -> None:
    found = Classical().segment(chest(("left", "solid", 12.0))[0])
    (vessels,) = (one for one in found.structures if one.name.startswith("Vessels"))
    assert vessels.voxels == np.count_nonzero(found.mask(vessels.label)) > 0
    shown = found.shown()
    assert np.count_nonzero(shown == vessels.label) == vessels.voxels
    lung = next(one for one in found.structures if one.name.endswith("lung"))
    # Who looks at one lung only sees it whole.
    chosen = found.shown(frozenset({lung.label}))
    assert np.count_nonzero(chosen == lung.label) == lung.voxels
