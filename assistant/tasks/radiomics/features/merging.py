"""How matrices of slices and directions become the ones that features are computed on.

IBSI's ways: 2-D averaged (BTW3) or merged by slice (SUJT), 2.5-D merged by direction (JJUI) or in
all (ZW7Z), 3-D averaged (ITBB) or merged (IAZD).
"""

from __future__ import annotations

import numpy as np

from assistant.imaging.volume import Floats
from assistant.tasks.radiomics.features.counts import Cells, summed
from assistant.tasks.radiomics.settings import Aggregation


def merge(
    cells: Cells, directions: int, aggregation: Aggregation, voxels: Floats | None = None
) -> tuple[Cells, Floats]:
    """Matrices merged, without empty ones, and the voxels that each could have counted.

    Matrix ``slice · directions + direction`` comes in; ``voxels`` is of each of these.  A slice
    without a pair of voxels has no matrix, and none in the average.
    """
    index = np.arange(cells.matrices)
    if aggregation in ("2D_avg", "3D_avg"):
        into = index
    elif aggregation == "2D_comb":
        into = index // directions
    elif aggregation == "2_5D_avg":
        into = index % directions
    else:
        into = np.zeros_like(index)
    number = int(into.max()) + 1
    joined = cells.joined(into, number)
    total = summed(into, np.ones(len(into)) if voxels is None else voxels, number)
    return joined.filled(), total[np.unique(joined.matrix)]
