"""Intervals and tests, on cases where the answer is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from promptcblue_sets import answers, gold

from eval.comparison import compare
from eval.errors import EvalError
from eval.promptcblue.score import score
from eval.promptcblue.tally import ratio
from eval.promptcblue.tracks import CCKS2023
from eval.significance import holm, intervals, resampled


def test_the_bootstrap_has_the_spread_of_a_mean() -> None:
    rng = np.random.default_rng(1)
    values = (rng.random(400) < 0.3).astype(float)
    drawn = resampled(ratio([(value, 1.0) for value in values]), 2000)
    assert drawn.mean() == pytest.approx(values.mean(), abs=0.005)
    assert drawn.std() == pytest.approx(np.sqrt(values.var() / 400), rel=0.1)


def test_intervals_hold_the_score_and_are_the_same_again() -> None:
    samples = gold(CCKS2023)
    half = {s.sample_id: s.target if place % 2 else "" for place, s in enumerate(samples)}
    scores = score(CCKS2023, samples, answers(samples, half))
    overall, tasks = intervals(scores, 400)
    assert overall.low < scores.overall < overall.high
    assert all(0 <= t.low <= t.high <= 100 for t in tasks.values())
    assert intervals(scores, 400) == (overall, tasks)


def test_answers_about_one_document_are_drawn_together() -> None:
    rng = np.random.default_rng(1)
    values = np.repeat((rng.random(100) < 0.3).astype(float), 4)
    tally = ratio([(value, 1.0) for value in values])
    alone = resampled(tally, 2000)
    together = resampled(tally, 2000, grouped=np.repeat(np.arange(100), 4))
    # Four times the same answer tells no more than one.
    assert together.std() == pytest.approx(2 * alone.std(), rel=0.1)
    assert together.mean() == pytest.approx(values.mean(), abs=0.01)


def test_the_same_text_asked_again_does_not_narrow_an_interval() -> None:
    samples, right, _ = many(40)
    wrong = {s.sample_id: "不相关" for s in samples[:20]}
    asked = [replace(s, sample_id=f"{s.sample_id}-{n}") for n in range(4) for s in samples]
    spread = []
    for chosen in (samples, asked):
        told = {s.sample_id: (right | wrong)[s.sample_id.partition("-")[0]] for s in chosen}
        _, tasks = intervals(score(CCKS2023, chosen, answers(chosen, told)), 1000)
        spread.append(tasks["KUAKE-IR"].high - tasks["KUAKE-IR"].low)
    assert spread[1] == pytest.approx(spread[0], rel=0.15)


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=20))
def test_holm_never_lowers_and_keeps_the_order(values: list[float]) -> None:
    corrected = holm(values)
    assert all(c >= v for v, c in zip(values, corrected, strict=True))
    order = np.argsort(values, kind="stable")
    assert list(np.array(corrected)[order]) == sorted(corrected)


def many(count: int) -> tuple[list, dict[str, str], dict[str, str]]:
    """A task of ``count`` samples, its targets, and the opposite labels."""
    one = next(s for s in gold(CCKS2023) if s.task_dataset == "KUAKE-IR")
    samples = [
        type(one)(
            f"s{n}",
            one.task_dataset,
            one.input,
            ["相关", "不相关"][n % 2],
            one.answer_choices,
            document=f"d{n}",
        )
        for n in range(count)
    ]
    right = {s.sample_id: s.target for s in samples}
    wrong = {k: "不相关" if v == "相关" else "相关" for k, v in right.items()}
    return samples, right, wrong


def test_a_clear_difference_is_found_and_none_where_there_is_none() -> None:
    samples, right, wrong = many(120)
    worse = right | {key: wrong[key] for key in list(wrong)[:30]}
    found = compare(CCKS2023, samples, answers(samples, right), answers(samples, worse), margin=1)
    assert found.overall.points == pytest.approx(-25, abs=0.1)
    assert found.overall.p < 0.01
    assert found.tasks[0].significant()
    assert not found.not_worse
    same = compare(CCKS2023, samples, answers(samples, worse), answers(samples, worse), margin=1)
    assert same.overall.points == 0
    assert same.overall.p == 1
    assert same.not_worse


def test_pairs_that_cancel_are_not_significant() -> None:
    samples, right, wrong = many(100)
    a = right | {key: wrong[key] for key in list(wrong)[:12]}
    b = right | {key: wrong[key] for key in list(wrong)[12:24]}
    found = compare(CCKS2023, samples, answers(samples, a), answers(samples, b), margin=50)
    assert found.overall.p > 0.5
    assert found.overall.low < 0 < found.overall.high
    assert found.not_worse


def test_a_few_samples_show_nothing() -> None:
    samples, right, _ = many(99)
    found = compare(CCKS2023, samples, answers(samples, right), answers(samples, right), margin=1)
    assert found.overall.not_worse(1)
    assert found.too_few
    assert not found.not_worse


def test_the_margin_is_not_negative() -> None:
    samples, right, _ = many(4)
    with pytest.raises(EvalError):
        compare(CCKS2023, samples, answers(samples, right), answers(samples, right), margin=-1)
