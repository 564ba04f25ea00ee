"""What kinds share with the general diagnosis."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from knowledge.clinical.entry import Entry, shipped_entries
from knowledge.clinical.kinds import Kinds

ENTRIES = [
    Entry(name="肺炎", common=5, general=True, kinds=("支原体肺炎", "病毒性肺炎")),
    Entry(name="支原体肺炎", common=4),
    Entry(name="病毒性肺炎", common=4),
    Entry(name="哮喘", common=4),
]


def shares(*probabilities: float) -> list[float]:
    scores = Kinds(ENTRIES).shared(np.log(np.array(probabilities, np.float32)))
    return [round(float(share), 4) for share in np.exp(scores - np.log(np.exp(scores).sum()))]


def test_many_kinds_that_are_a_little_likely_make_the_general_diagnosis_first() -> None:
    general, mycoplasma, virus, asthma = shares(0.05, 0.3, 0.3, 0.35)
    assert general > mycoplasma == virus
    assert asthma == 0.35, "what is no kind keeps its share"


def test_a_kind_of_which_the_case_is_clear_stays_first() -> None:
    general, mycoplasma, *_ = shares(0.02, 0.9, 0.03, 0.05)
    assert mycoplasma > general


@given(st.lists(st.floats(0.001, 1), min_size=4, max_size=4))
def test_nothing_is_lost(weights: list[float]) -> None:
    scores = np.log(np.array(weights, np.float32))
    assert np.isclose(np.exp(Kinds(ENTRIES).shared(scores) - scores.max()).sum(),
                      np.exp(scores - scores.max()).sum(), rtol=1e-4)  # fmt: skip


def test_the_general_diagnoses_that_ship_have_kinds() -> None:
    general = [entry for entry in shipped_entries() if entry.general]
    assert sum(bool(entry.kinds) for entry in general) > 0.95 * len(general)
