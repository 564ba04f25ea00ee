"""Which features were chosen, how steadily, and which hold when all cases are read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from assistant.tasks.radiomics.cohort.association import association, passed
from assistant.tasks.radiomics.cohort.conditional import conditional
from assistant.tasks.radiomics.cohort.model import FittedModel
from assistant.tasks.radiomics.cohort.nested import Part, Study

_SHOWN = 50


def features(study: Study, parts: Sequence[Part], model: FittedModel) -> dict[str, Any]:
    """``found``: by conditional tests on all cases, at the false discovery rate of the settings.
    ``used``: those of the kept model.  ``chosen``: how many outer folds used each."""
    cohort, rate = study.cohort, min(study.settings.fdr, 0.5)
    z = model.preparation.apply(cohort.x, cohort.sites)
    _, p = association(z, cohort.outcome)
    places, given = conditional(z, cohort.outcome, rate, 50)
    times = Counter(name for part in parts for name in part["used"])
    return {
        "found": [
            {"name": model.names[place], "p": float(g), "p_alone": float(p[place])}
            for place, g in zip(places, given, strict=True)
        ],
        "false_discovery_rate": rate,
        "associated_alone": int(passed(p, rate).sum()),
        "used": list(model.used),
        "chosen": [
            {"name": name, "share": count / len(parts)} for name, count in times.most_common(_SHOWN)
        ],
        "stability": stability([part["used"] for part in parts], len(cohort.names)),
    }


def stability(chosen: Sequence[Sequence[str]], columns: int) -> float | None:
    """Nogueira, Sechidis and Brown's index (2018): 1 where every fold chose the same, 0 as by
    chance; None where nothing, or everything, was chosen."""
    folds = len(chosen)
    if folds < 2:
        return None
    mean = float(np.mean([len(set(c)) for c in chosen])) / columns
    if not 0 < mean < 1:
        return None
    share = np.array(list(Counter(n for c in chosen for n in set(c)).values())) / folds
    spread = float((share * (1 - share)).sum()) * folds / (folds - 1) / columns
    return 1 - spread / (mean * (1 - mean))
