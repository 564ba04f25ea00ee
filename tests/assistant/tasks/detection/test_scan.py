"""Where nodules are looked for."""

from __future__ import annotations

import numpy as np

from assistant.tasks.detection.scan import between


def test_the_mediastinum_lies_between_the_lungs_and_bays_of_the_chest_wall_do_not() -> None:
    right, left = np.zeros((1, 3, 20), bool), np.zeros((1, 3, 20), bool)
    right[0, :, 2:8], left[0, :, 12:18] = True, True
    right[0, 0, 4] = False  # a bay within the right lung
    right[0, 1, 2] = False  # a bay at the side of the chest
    left[0, 2] = False  # a slice's row with one lung
    found = between(left, right)
    assert np.flatnonzero(found[0, 0]).tolist() == [8, 9, 10, 11]
    assert np.flatnonzero(found[0, 1]).tolist() == [8, 9, 10, 11]
    assert not found[0, 2].any()
