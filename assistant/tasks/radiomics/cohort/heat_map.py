"""Cases ordered by likeness, within their outcome, and features by likeness: for the heat map."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.cluster import hierarchy

from assistant.tasks.radiomics.cohort.model import FittedModel
from assistant.tasks.radiomics.cohort.nested import Study
from assistant.tasks.radiomics.cohort.outcome import Floats, Whole

_MOST_FEATURES, _MOST_CASES = 30, 600


def heat_map(study: Study, model: FittedModel) -> dict[str, Any]:
    """``z``: features × cases, z-scores; ``event``: of the cases, which come in two blocks."""
    cohort = study.cohort
    z = model.preparation.apply(cohort.x, cohort.sites)
    places = [model.names.index(name) for name in model.used][:_MOST_FEATURES]
    z = z[:, places]
    random = np.random.default_rng(study.settings.seed)
    rows = np.sort(random.permutation(len(z))[:_MOST_CASES])
    event = cohort.outcome.event
    no, yes = rows[~event[rows]], rows[event[rows]]
    order = np.concatenate([no[_alike(z[no])], yes[_alike(z[yes])]])
    columns = _alike(z[order].T)
    survival = cohort.outcome.is_survival
    return {
        "names": [model.names[places[c]] for c in columns],
        "event": event[order].tolist(),
        "event_title": "发生事件" if survival else f"结局 {cohort.positive}",
        "title": f"特征热图：{len(order)} 例（左蓝：{'未发生' if survival else '另一类'}；"
        f"右红：{'发生事件' if survival else cohort.positive}）",
        "z": np.round(z[order][:, columns].T, 2).tolist(),
    }


def _alike(z: Floats) -> Whole:
    """The leaves of a tree (Ward), so that like stands beside like."""
    if len(z) < 3:
        return np.arange(len(z))
    return np.asarray(hierarchy.leaves_list(hierarchy.linkage(z, "ward")), dtype=np.int64)
