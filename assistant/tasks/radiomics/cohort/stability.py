"""Which features were chosen, how steadily, and which hold when all cases are read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from assistant.tasks.radiomics.cohort.association import association, passed
from assistant.tasks.radiomics.cohort.model import FittedModel
from assistant.tasks.radiomics.cohort.nested import Part, Study
from assistant.tasks.radiomics.cohort.posterior import Posterior, discoveries, groups

_SHOWN = 50
_JUMPS = 500


def features(study: Study, parts: Sequence[Part], model: FittedModel) -> dict[str, Any]:
    """``found``: on all cases, each with the probability that it belongs to the model beside all
    others, and those that say the same; as many as the false discovery rate of the settings
    allows.  ``used``: those of the kept model.  ``chosen``: how many outer folds used each."""
    cohort, settings = study.cohort, study.settings
    z = model.preparation.apply(cohort.x, cohort.sites)
    _, p = association(z, cohort.outcome)
    probability = Posterior(z, cohort.outcome, settings.seed).probabilities(_JUMPS)
    found = discoveries(groups(z, probability, settings.max_correlation), settings.found_fdr)
    times = Counter(name for part in parts for name in part["used"])
    return {
        "found": [
            {
                "name": model.names[group.column],
                "probability": group.probability,
                "p_alone": float(p[group.column]),
                "alike": [model.names[other] for other in group.alike],
            }
            for group in found
        ],
        "false_discovery_rate": settings.found_fdr,
        "associated_alone": int(passed(p, min(settings.fdr, 0.5)).sum()),
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
