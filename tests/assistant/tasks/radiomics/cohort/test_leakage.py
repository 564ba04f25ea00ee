"""What is judged has not been seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assistant.tasks.radiomics.cohort import roc
from assistant.tasks.radiomics.cohort.association import association
from assistant.tasks.radiomics.cohort.columns import Column, Columns
from assistant.tasks.radiomics.cohort.journal import Journal
from assistant.tasks.radiomics.cohort.nested import (
    Study,
    inner_folds,
    inner_part,
    outer_folds,
    outer_part,
    run,
)
from assistant.tasks.radiomics.cohort.outcome import Floats, Outcome
from assistant.tasks.radiomics.cohort.settings import CohortSettings
from assistant.tasks.radiomics.cohort.table import Cohort

_SETTINGS = CohortSettings(
    outer_folds=5, inner_folds=3, selectors=("conditional", "lasso"), models=("logistic",)
)


def study_of(x: Floats, event: Sequence[bool]) -> Study:
    columns = Columns(tuple(Column(f"f{place}") for place in range(x.shape[1])))
    sites = np.array(["甲", "乙"])[np.arange(len(x)) % 2]
    ids = tuple(map(str, range(len(x))))
    outcome = Outcome(np.array(event, dtype=bool))
    cohort = Cohort(ids, x, outcome, sites, columns, "1", len(x), (), (), "")
    return Study(cohort, _SETTINGS, {})


def judged(study: Study, folder: Path) -> roc.Interval:
    nested = run(study, Journal(folder / "j", ""), lambda *_: None, 1)
    event = study.cohort.outcome.event
    return roc.auc_interval([(event[p["rows"]], np.array(p["risk"])) for p in nested.outer])


@pytest.fixture(scope="module")
def noise() -> tuple[Floats, np.ndarray]:
    """Many columns and an outcome that none of them knows."""
    random = np.random.default_rng(11)
    return random.standard_normal((120, 1000)), random.permutation(np.arange(120) % 2 == 0)


def test_shuffled_outcomes_give_a_half(noise: tuple[Floats, np.ndarray], tmp_path: Path) -> None:
    found = judged(study_of(*noise), tmp_path)
    assert found.low < 0.5 < found.high


def test_selection_outside_of_the_folds_would_show(
    noise: tuple[Floats, np.ndarray], tmp_path: Path
) -> None:
    """The same table after the mistake: the best columns of all cases, chosen beforehand."""
    x, event = noise
    chi2, _ = association(x, Outcome(event))
    found = judged(study_of(x[:, np.argsort(-chi2)[:15]], event), tmp_path)
    assert found.low > 0.55


def test_a_test_case_is_judged_the_same_whatever_else_is_in_its_fold() -> None:
    random = np.random.default_rng(3)
    x = random.standard_normal((90, 12))
    event = x[:, 0] + random.standard_normal(90) > 0
    study = study_of(x, event)
    train, test = outer_folds(study)[0]

    def predicted(one: Study) -> tuple[str, list[str], float]:
        inner = [inner_part(one, *fold) for fold in inner_folds(one, train)]
        part = outer_part(one, train, test, inner)
        return part["candidate"], part["used"], part["risk"][0]

    other = x.copy()
    other[test[1:]] = 100 * random.standard_normal((len(test) - 1, 12))
    turned = event.copy()
    turned[test] = ~turned[test]
    changed = replace(study, cohort=replace(study.cohort, x=other, outcome=Outcome(turned)))
    # The folds are those of the first study: only what is in them differs.
    assert predicted(changed) == predicted(study)


def test_inner_folds_stay_within_their_training_cases() -> None:
    random = np.random.default_rng(3)
    study = study_of(random.standard_normal((60, 3)), (np.arange(60) % 3 == 0).tolist())
    for train, test in outer_folds(study)[:-1]:
        assert not set(train) & set(test)
        for fit_on, left in inner_folds(study, train):
            assert not set(fit_on) & set(left)
            assert set(fit_on) | set(left) == set(train)
