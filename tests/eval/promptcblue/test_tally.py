"""Metrics as functions of weighted rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.promptcblue.tally import LabelTally, Tally, micro_f1, ratio

LABELS = st.lists(
    st.tuples(st.sampled_from("甲乙丙"), st.sampled_from(["甲", "乙", "丁", None])),
    min_size=1,
    max_size=12,
)
SETS = st.lists(
    st.tuples(st.frozensets(st.integers(0, 5)), st.frozensets(st.integers(0, 5)) | st.none()),
    min_size=1,
    max_size=12,
)


def repeated(tally: Tally, counts: list[int]) -> float:
    return float(tally.scores(np.array([counts], np.float64))[0])


def test_weighted_and_macro_f1_by_hand() -> None:
    golds, answers = ["甲", "甲", "甲", "乙"], ["甲", "甲", "丙", "乙"]
    # F1: 甲 2·2/(3+2) = 0.8, 乙 1, 丙 0.
    assert LabelTally(golds, answers, "weighted").score() == pytest.approx((3 * 0.8 + 1) / 4)
    assert LabelTally(golds, answers, "macro").score() == pytest.approx((0.8 + 1 + 0) / 3)


def test_no_answer_is_of_no_class() -> None:
    # 甲: one of two found, no other class comes into being.
    assert LabelTally(["甲", "甲"], ["甲", None], "macro").score() == pytest.approx(2 / 3)
    assert LabelTally(["甲"], [None], "weighted").score() == 0


def test_micro_f1_by_hand() -> None:
    tally = micro_f1([frozenset("ab"), frozenset("c"), frozenset()], [frozenset("ax"), None, None])
    assert tally.score() == pytest.approx(2 * 1 / (2 * 1 + 1 + 2))
    assert tally.each.tolist() == pytest.approx([0.5, 0.0, 0.0])
    assert micro_f1([frozenset()], [frozenset()]).score() == 0
    assert micro_f1([frozenset()], [frozenset()]).each.tolist() == [1.0]


def test_a_ratio_weighs_by_size() -> None:
    assert ratio([(1.0, 2.0), (0.0, 6.0)]).score() == pytest.approx(1 / 8)
    assert ratio([(0.0, 0.0)]).score() == 0


@given(LABELS, st.sampled_from(["weighted", "macro"]), st.data())
def test_a_label_row_of_weight_n_is_n_rows(pairs: list, average: str, data: st.DataObject) -> None:
    counts = data.draw(st.lists(st.integers(0, 3), min_size=len(pairs), max_size=len(pairs)))
    if not any(counts):
        return
    golds, answers = zip(*pairs, strict=True)
    many = [pair for pair, count in zip(pairs, counts, strict=True) for _ in range(count)]
    spelled = LabelTally([g for g, _ in many], [a for _, a in many], average)
    tally = LabelTally(golds, answers, average)
    assert repeated(tally, counts) == pytest.approx(spelled.score())


@given(SETS, st.data())
def test_a_set_row_of_weight_n_is_n_rows(pairs: list, data: st.DataObject) -> None:
    counts = data.draw(st.lists(st.integers(0, 3), min_size=len(pairs), max_size=len(pairs)))
    many = [pair for pair, count in zip(pairs, counts, strict=True) for _ in range(count)]
    if not many:
        return
    spelled = micro_f1([g for g, _ in many], [a for _, a in many])
    tally = micro_f1([g for g, _ in pairs], [a for _, a in pairs])
    assert repeated(tally, counts) == pytest.approx(spelled.score())
