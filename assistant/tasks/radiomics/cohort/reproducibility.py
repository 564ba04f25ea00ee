"""How well features can be measured again: a table of intraclass correlations."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from assistant.tasks.radiomics.cohort.cells import read_cells
from assistant.tasks.radiomics.cohort.refusal import CohortRefused


def read_icc(path: Path) -> dict[str, float]:
    """Feature → ICC, from a CSV file with the columns ``feature`` and ``icc``.

    Raises:
        CohortRefused: the columns are not there, or an ICC is no number.
    """
    cells = read_cells(path)
    lowered = [name.lower() for name in cells.names]
    if "feature" not in lowered or "icc" not in lowered:
        raise CohortRefused(
            "ICC 表需要两列：feature（特征名）和 icc（数值）。"
            "(The ICC table has two columns: feature and icc.)"
        )
    names, place = cells.texts.get(lowered.index("feature"), {}), lowered.index("icc")
    values = cells.numbers[:, place]
    wrong = [cells.lines[row] for row in np.flatnonzero(np.isnan(values))]
    if wrong:
        raise CohortRefused(
            f"ICC 表第 {'、'.join(map(str, wrong[:5]))} 行没有数值：请补上或删去该行。"
            "(These lines of the ICC table have no number.)"
        )
    return {name: float(values[row]) for row, name in names.items()}
