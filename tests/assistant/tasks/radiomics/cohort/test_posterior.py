"""How probable it is that a column belongs to the model."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from assistant.tasks.radiomics.cohort.association import association, passed
from assistant.tasks.radiomics.cohort.likelihood import fit
from assistant.tasks.radiomics.cohort.outcome import Floats, Outcome
from assistant.tasks.radiomics.cohort.posterior import (
    Group,
    Posterior,
    discoveries,
    groups,
    log_marginal,
)


def drawn(z: Floats, eta: Floats, survival: bool, seed: int = 1) -> Outcome:
    random = np.random.default_rng(seed)
    if survival:
        return Outcome(random.random(len(z)) < 0.8, random.exponential(np.exp(-eta)))
    return Outcome(random.random(len(z)) < 1 / (1 + np.exp(-eta)))


@pytest.mark.parametrize("survival", [False, True])
def test_the_cause_is_found_and_not_its_shadow(survival: bool) -> None:
    z = np.random.default_rng(1).standard_normal((400, 30))
    z[:, 5] = 0.8 * z[:, 2] + 0.6 * z[:, 5]
    outcome = drawn(z, 1.2 * z[:, 2] - 1.2 * z[:, 9], survival)
    _, alone = association(z, outcome)
    assert passed(alone, 0.05)[5]
    found = groups(z, Posterior(z, outcome, 1).probabilities(200), 0.9)
    assert {group.column for group in discoveries(found, 0.1)} == {2, 9}


@pytest.mark.parametrize("survival", [False, True])
def test_probabilities_are_those_of_all_models(survival: bool) -> None:
    """Of few columns every model can be weighed, and the walk comes to the same."""
    z = np.random.default_rng(4).standard_normal((90, 6))
    z[:, 1] = 0.7 * z[:, 0] + 0.7 * z[:, 1]
    outcome = drawn(z, 0.7 * z[:, 0] + 0.45 * z[:, 3], survival, seed=5)
    walk = Posterior(z, outcome, 1)
    found = walk.probabilities(4000)
    weights, inside = [], []
    for size in range(7):
        for chosen in combinations(range(6), size):
            model = fit(z[:, list(chosen)], outcome, walk._spread)
            # Any number of columns is as probable as any other.
            ways = len(list(combinations(range(6), size)))
            weights.append(log_marginal(model, walk._spread) - np.log(ways))
            inside.append([column in chosen for column in range(6)])
    share = np.exp(np.array(weights) - max(weights))
    wanted = share @ np.array(inside) / share.sum()
    assert np.abs(found - wanted).max() < 0.06


def test_nothing_is_found_in_noise() -> None:
    random = np.random.default_rng(2)
    z = random.standard_normal((100, 300))
    found = groups(z, Posterior(z, Outcome(random.random(100) < 0.5), 1).probabilities(200), 0.9)
    assert discoveries(found, 0.1) == []


def test_columns_that_say_the_same_share_their_probability() -> None:
    z = np.random.default_rng(3).standard_normal((300, 20))
    z[:, 7] = z[:, 4] + 0.05 * z[:, 7]
    outcome = drawn(z, 1.5 * z[:, 4], survival=False)
    found = discoveries(groups(z, Posterior(z, outcome, 1).probabilities(300), 0.9), 0.1)
    assert len(found) == 1
    assert found[0].column in (4, 7)
    assert found[0].probability > 0.95


def test_discoveries_are_as_many_as_the_rate_allows() -> None:
    found = [Group(n, p) for n, p in enumerate((0.99, 0.95, 0.9, 0.7, 0.2))]
    assert len(discoveries(found, 0.05)) == 2
    assert len(discoveries(found, 0.12)) == 4
    assert discoveries([], 0.1) == []
