"""Statistics, held against libraries and against sums written out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sksurv.compare import compare_survival
from sksurv.metrics import concordance_index_censored, cumulative_dynamic_auc

from assistant.tasks.radiomics.cohort import conditional, roc
from assistant.tasks.radiomics.cohort.association import association, passed
from assistant.tasks.radiomics.cohort.classification import calibration, decision
from assistant.tasks.radiomics.cohort.concordance import concordance, concordance_interval
from assistant.tasks.radiomics.cohort.followup import at_time, kaplan_meier, timed_auc
from assistant.tasks.radiomics.cohort.harmonisation import ComBat
from assistant.tasks.radiomics.cohort.outcome import Outcome
from assistant.tasks.radiomics.cohort.selection import mrmr
from assistant.tasks.radiomics.cohort.stability import stability

RANDOM = np.random.default_rng(5)


@pytest.fixture(autouse=True)
def _drawn_anew() -> None:
    """What a test draws does not depend on which ran before it."""
    RANDOM.bit_generator.state = np.random.default_rng(5).bit_generator.state


def follow_up(n: int = 80) -> Outcome:
    return Outcome(RANDOM.random(n) < 0.6, RANDOM.exponential(100, n).round(1) + 0.1)


def test_ranks_are_those_of_mann_and_whitney() -> None:
    x = RANDOM.standard_normal((60, 4)).round(1)
    event = RANDOM.random(60) < 0.4
    _, p = association(x, Outcome(event))
    wanted = stats.mannwhitneyu(x[event], x[~event], method="asymptotic", use_continuity=False)
    np.testing.assert_allclose(p, wanted.pvalue, rtol=1e-9)


def test_the_score_test_of_two_groups_is_the_log_rank_test() -> None:
    outcome = Outcome(RANDOM.random(80) < 0.6, RANDOM.permutation(80) + 1.0)
    group = (RANDOM.random(80) < 0.5).astype(float)
    chi2, _ = association(group[:, None], outcome)
    wanted, _ = compare_survival(outcome.structured(), group)
    assert chi2[0] == pytest.approx(wanted, rel=1e-9)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.floats(0.01, 0.5))
def test_what_passes_is_what_adjusted_values_say(values: list[float], rate: float) -> None:
    p = np.array(values)
    wanted = stats.false_discovery_control(p) <= rate
    kept = passed(p, rate)
    near = np.abs(stats.false_discovery_control(p) - rate) < 1e-12
    np.testing.assert_array_equal(kept[~near], wanted[~near])


def test_the_variance_of_delong_by_its_definition() -> None:
    event, risk = RANDOM.random(50) < 0.4, RANDOM.standard_normal(50).round(1)
    cases, controls = risk[event], risk[~event]
    psi = (cases[:, None] > controls) + 0.5 * (cases[:, None] == controls)
    of_cases, of_controls = psi.mean(axis=1).var(ddof=1), psi.mean(axis=0).var(ddof=1)
    wanted = of_cases / len(cases) + of_controls / len(controls)
    area, variance = roc.delong(event, risk)
    assert area == pytest.approx(psi.mean())
    assert variance == pytest.approx(wanted)


def test_an_interval_stays_within_bounds_even_where_nothing_is_wrong() -> None:
    event = np.array([True] * 8 + [False] * 12)
    found = roc.auc_interval([(event, event.astype(float))])
    assert found.value == found.high == 1.0
    assert 0.5 < found.low < 1.0


def test_folds_are_not_compared_with_each_other() -> None:
    event = np.array([True, True, False, False])
    fold = (event, np.array([0.9, 0.8, 0.2, 0.1]))
    moved = (event, fold[1] - 10)
    assert roc.auc_interval([fold, moved]).value == 1.0


def test_a_threshold_reaches_its_sensitivity() -> None:
    event, risk = RANDOM.random(80) < 0.4, RANDOM.random(80)
    cut = roc.for_sensitivity(event, risk, 0.9)
    assert (risk >= cut)[event].mean() >= 0.9
    higher = risk[risk > cut].min()
    assert (risk >= higher)[event].mean() < 0.9


def test_concordance_is_harrells() -> None:
    outcome, risk = follow_up(), RANDOM.standard_normal(80).round(1)
    wanted = concordance_index_censored(outcome.event, outcome.time, risk)[0]
    assert concordance(outcome, risk) == pytest.approx(wanted)
    found = concordance_interval([(outcome, risk)])
    assert found.low < found.value < found.high


def test_the_auc_at_a_time_is_unos() -> None:
    """Where cases are lost at the moment of an event too."""
    for _ in range(30):
        outcome, risk = follow_up(), RANDOM.standard_normal(80)
        known = outcome.structured()
        wanted = cumulative_dynamic_auc(known, known, risk, [60.0])[0][0]
        one_fold = np.zeros(80, dtype=np.int64)
        assert timed_auc(outcome, one_fold, risk, 60.0) == pytest.approx(wanted, rel=1e-9)


def test_survival_at_a_time_and_beyond_what_was_followed() -> None:
    outcome = Outcome(np.array([True, True, False, True]), np.array([1.0, 2.0, 3.0, 4.0]))
    curve = kaplan_meier(outcome)
    found = at_time(curve, 2.5)
    assert found is not None
    assert found["value"] == pytest.approx(0.5)
    assert at_time(curve, 5.0) is None


def test_calibration_of_true_and_of_exaggerated_probabilities() -> None:
    random = np.random.default_rng(2)
    logit = random.normal(0, 1, 4000)
    event = random.random(4000) < 1 / (1 + np.exp(-logit))
    true = calibration(event, 1 / (1 + np.exp(-logit)))
    loud = calibration(event, 1 / (1 + np.exp(-2 * logit)))
    assert true["slope"] == pytest.approx(1, abs=0.12)
    assert true["intercept"] == pytest.approx(0, abs=0.12)
    assert loud["slope"] == pytest.approx(true["slope"] / 2, rel=1e-3)


def test_net_benefit_by_hand() -> None:
    event = np.array([True, False, True, False])
    found = decision(event, np.array([0.9, 0.6, 0.3, 0.1]))
    at = found["threshold"].index(0.5)
    assert found["model"][at] == pytest.approx(1 / 4 - 1 / 4)
    assert found["all"][at] == pytest.approx(0.0)


def test_combat_takes_a_scanner_away_and_leaves_what_it_does_not_know() -> None:
    random = np.random.default_rng(3)
    true = random.standard_normal((300, 20))
    sites = np.array(["a", "b", "c"])[random.integers(0, 3, 300)]
    seen = true + 4 * (sites == "b")[:, None] - 2 * (sites == "c")[:, None]
    seen[sites == "b"] *= 1.5
    made = ComBat().fit(seen, sites)
    whole = made.apply(seen, sites)
    means = np.array([whole[sites == name].mean(axis=0) for name in "abc"])
    spreads = np.array([whole[sites == name].std(axis=0) for name in "abc"])
    assert np.ptp(means, axis=0).max() < 0.35
    assert (spreads.max(axis=0) / spreads.min(axis=0)).max() < 1.25
    new = made.apply(seen[:5], np.array(["z"] * 5))
    np.testing.assert_array_equal(new, seen[:5])


def test_combat_keeps_a_column_that_is_constant_and_a_site_of_one_case() -> None:
    x = np.column_stack([np.ones(21), RANDOM.standard_normal((21, 3))])
    sites = np.array(["a"] * 10 + ["b"] * 10 + ["c"])
    made = ComBat().fit(x, sites).apply(x, sites)
    assert np.isfinite(made).all()
    np.testing.assert_allclose(made[:, 0], 1.0)
    np.testing.assert_array_equal(made[20], x[20])


@pytest.mark.parametrize("survival", [False, True])
def test_conditional_tests_find_the_cause_and_not_its_shadow(survival: bool) -> None:
    random = np.random.default_rng(1)
    z = random.standard_normal((400, 30))
    z[:, 5] = 0.8 * z[:, 2] + 0.6 * z[:, 5]
    eta = 1.2 * z[:, 2] - 1.2 * z[:, 9]
    if survival:
        outcome = Outcome(random.random(400) < 0.8, random.exponential(np.exp(-eta)))
    else:
        outcome = Outcome(random.random(400) < 1 / (1 + np.exp(-eta)))
    _, alone = association(z, outcome)
    assert passed(alone, 0.05)[5]
    found, p = conditional.conditional(z, outcome, 0.05, 20)
    assert set(found.tolist()) == {2, 9}
    assert (p < 0.001).all()


def test_the_information_of_coxs_model_by_its_definition() -> None:
    outcome = Outcome(RANDOM.random(30) < 0.6, RANDOM.integers(1, 12, 30).astype(float))
    base, other = RANDOM.standard_normal((30, 2)), RANDOM.standard_normal((30, 3))
    model = conditional._Cox(base, outcome)
    hazard = np.empty(30)
    hazard[model.order] = model.hazard
    wanted = np.zeros((2, 3))
    for i in np.flatnonzero(outcome.event):
        at_risk = outcome.time >= outcome.time[i]
        w = hazard[at_risk] / hazard[at_risk].sum()
        b, o = base[at_risk], other[at_risk]
        wanted += (b.T * w) @ o - np.outer(w @ b, w @ o)
    _, _, cross = model.score(other)
    np.testing.assert_allclose(cross, wanted, atol=1e-9)


def test_mrmr_takes_no_second_copy() -> None:
    random = np.random.default_rng(4)
    z = random.standard_normal((200, 6))
    z[:, 1] = z[:, 0] + 0.01 * random.standard_normal(200)
    outcome = Outcome(z[:, 0] + 0.5 * z[:, 3] + 0.3 * random.standard_normal(200) > 0)
    assert set(mrmr(z, outcome, 2).tolist()) in ({0, 3}, {1, 3})


@given(st.integers(2, 8))
@settings(max_examples=5)
def test_the_same_choice_every_time_is_wholly_stable(folds: int) -> None:
    assert stability([["a", "b"]] * folds, 10) == pytest.approx(1.0)
    assert stability([[]] * folds, 10) is None


def test_choices_by_chance_are_not_stable() -> None:
    random = np.random.default_rng(1)
    drawn = [[str(c) for c in random.choice(50, 5, replace=False)] for _ in range(200)]
    found = stability(drawn, 50)
    assert found is not None
    assert abs(found) < 0.02


def test_an_interval_of_folds_is_wider_than_if_they_were_independent() -> None:
    random = np.random.default_rng(8)
    folds = [(np.arange(40) % 2 == 0, random.standard_normal(40)) for _ in range(5)]
    found = roc.auc_interval(folds)
    variance = sum(roc.delong(*fold)[1] for fold in folds) / 25
    assert found.high - found.low > 1.4 * 2 * 1.96 * variance**0.5
    assert roc.auc_interval(folds[:1]).low < 0.5
