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
