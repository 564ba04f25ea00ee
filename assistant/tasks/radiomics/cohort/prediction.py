"""New cases, predicted and explained by a saved model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from assistant.tasks.radiomics.cohort.cells import read_cells
from assistant.tasks.radiomics.cohort.columns import encode
from assistant.tasks.radiomics.cohort.explanation import explain
from assistant.tasks.radiomics.cohort.purpose import PURPOSE
from assistant.tasks.radiomics.cohort.refusal import CohortRefused
from assistant.tasks.radiomics.cohort.roles import case_ids, site_names
from assistant.tasks.radiomics.cohort.saved import SavedModel


def predict(saved: SavedModel, table: Path, id_column: str = "") -> dict[str, Any]:
    """Every case of ``table``: its number, what that means, and what each feature added.

    Raises:
        CohortRefused: the table cannot be read, lacks columns, or has no case.
    """
    cells = read_cells(table)
    if not cells.lines:
        raise CohortRefused("表格没有病例：请在表头之后每行写一例。(The table has no case.)")
    ids = case_ids(cells, id_column)
    x = encode(cells, saved.columns)
    sites = site_names(cells, saved.site if saved.site in cells.names else "")
    model = saved.model
    risk = model.risk(x, sites)
    explained = explain(model, x, sites, saved.background, saved.seed)
    known = model.preparation.combat_.sites_ if model.preparation.combat_ else None
    used = [saved.columns.names.index(name) for name in model.used]
    made = []
    for row, name in enumerate(ids):
        case: dict[str, Any] = {"id": name, **_meaning(saved, float(risk[row]))}
        if saved.is_survival:
            alive = model.survival(x[row : row + 1], sites[row : row + 1], saved.horizons)[0]
            case["survival"] = [
                {"year": year, "probability": None if np.isnan(p) else float(p)}
                for year, p in zip(saved.years, alive, strict=True)
            ]
        case["explanation"] = explained[row].as_data()
        case["notes"] = _notes(x[row, used], model.used, known, str(sites[row]))
        made.append(case)
    return {
        "purpose": PURPOSE,
        "model": model.candidate.name,
        "positive": saved.positive,
        "cases": made,
    }


def _meaning(saved: SavedModel, risk: float) -> dict[str, Any]:
    if saved.is_survival:
        group = "high" if risk >= saved.cuts["median"] else "low"
        return {"risk": risk, "group": group}
    return {"probability": risk, "above_youden": risk >= saved.cuts["youden"]}


def _notes(values: Any, names: tuple[str, ...], known: list[str] | None, site: str) -> list[str]:
    notes = []
    missing = [name for name, value in zip(names, values, strict=True) if np.isnan(value)]
    if missing:
        notes.append(
            f"缺失 {len(missing)} 个所用特征，按训练病例的中位数填补：{'、'.join(missing[:5])}"
        )
    if known is not None and site not in known:
        notes.append("该病例的机构或设备不在训练病例中，特征未做 ComBat 校正")
    return notes
