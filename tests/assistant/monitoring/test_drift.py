from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.monitoring.drift import LARGE, number_stability, stability

BEFORE = ["内科"] * 60 + ["外科"] * 40


def test_the_index_is_the_formula() -> None:
    found = stability(["内科"] * 20 + ["外科"] * 80, BEFORE)
    assert found is not None
    a, e = (20.5 / 101, 80.5 / 101), (60.5 / 101, 40.5 / 101)
    assert found.psi == pytest.approx(
        sum((x - y) * math.log(x / y) for x, y in zip(a, e, strict=True))
    )
    assert found.changed


def test_the_same_mix_is_no_change() -> None:
    found = stability(["内科"] * 6 + ["外科"] * 4, BEFORE)
    assert found is not None
    assert found.psi < 0.01
    assert not found.changed


def test_a_department_that_never_was_is_a_change() -> None:
    found = stability(["儿科"] * 40, BEFORE)
    assert found is not None
    assert found.changed


def test_few_drafts_say_nothing() -> None:
    assert stability(["儿科"] * 9, BEFORE) is None
    assert number_stability([1.0] * 50, [1.0] * 9) is None


def test_chance_alone_passes_no_limit_of_a_small_sample() -> None:
    small = number_stability([1.0, 2, 3, 4, 5, 6, 7, 8, 9, 10], [float(n) for n in range(1, 13)])
    assert small is not None
    assert small.limit > LARGE


def test_longer_records_are_a_change() -> None:
    found = number_stability([5000.0 + n for n in range(40)], [1000.0 + n for n in range(100)])
    assert found is not None
    assert found.changed


@given(st.lists(st.sampled_from("甲乙丙丁"), min_size=10, max_size=60))
def test_it_is_never_negative_and_nothing_is_far_from_itself(names: list[str]) -> None:
    found = stability(names, names)
    assert found is not None
    assert found.psi == pytest.approx(0, abs=1e-12)
    other = stability(names, BEFORE)
    assert other is not None
    assert other.psi >= 0
