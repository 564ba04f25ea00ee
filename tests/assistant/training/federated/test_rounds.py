"""What the coordinator does with what sites send; nothing is learnt here."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("safetensors")

import contextlib

from assistant.training.federated import scored
from assistant.training.federated.averaging import Privacy, Update, average, clipped
from assistant.training.federated.members import Joined, Rules, SiteRefused
from assistant.training.federated.message import (
    MessageInvalid,
    Weights,
    norm,
    pack,
    unpack,
)
from assistant.training.federated.ner_plan import NerPlan
from assistant.training.federated.plan import Learning
from assistant.training.federated.privacy import delta, epsilon
from assistant.training.federated.rounds import STATE, Federation
from assistant.training.scoring import THRESHOLDS
from serving.encoder.shape import Shape, SpanShape
from serving.encoder.vocabulary import SPECIAL

pytestmark = pytest.mark.train
SITES = ("a", "b", "c")


def begin(joined: dict[str, Joined]) -> tuple[NerPlan, Weights]:
    labels = tuple(sorted({kind for one in joined.values() for kind in one.types}))
    size = sum(one.characters for one in joined.values())
    plan = NerPlan(Learning(rounds=2), Shape(5, 8, 1, 1, 8), SpanShape(labels), SPECIAL, {}, size)
    return plan, {"w": np.zeros((2, 2), np.float32)}


def change(value: float) -> Weights:
    return {"w": np.full((2, 2), value, np.float32)}


def started(folder: Path, rules: Rules | None = None, names: tuple[str, ...] = SITES) -> Federation:
    made = Federation(rules or Rules(SITES), folder, begin)
    for name in names:
        made.join(name, Joined(4, 10 if name == "a" else 5, ("drug",), False))
    return made


def test_a_killed_run_of_another_base_is_not_gone_on_with(tmp_path: Path) -> None:
    assert started(tmp_path).plan is not None
    assert Federation(Rules(SITES), tmp_path, begin).plan is not None
    with pytest.raises(MessageInvalid, match="another base"):
        Federation(Rules(SITES, base="f" * 64), tmp_path, begin)


def sent(value: float, counts: scored.Counts | None = None) -> bytes:
    return pack(change(value), {"counts": counts})


def counted(right: int) -> scored.Counts:
    return [[10, 10, right]] * len(THRESHOLDS)


def test_sites_count_by_the_length_of_their_texts_and_the_best_round_is_kept(
    tmp_path: Path,
) -> None:
    run = started(tmp_path)
    for name, value in zip(SITES, (1.0, 2.0, 4.0), strict=True):
        run.answer(name, 1, sent(value))
        assert name == "c" or run.work(name) is None
    assert np.allclose(run.weights["w"], (10 * 1 + 5 * 2 + 5 * 4) / 20)
    for name in SITES:
        run.answer(name, 2, sent(1.0, counted(9)))
    first = run.best["w"]
    assert np.allclose(first, 2.0)
    for name in SITES:
        run.answer(name, 3, pack({}, {"counts": counted(5)}))
    assert run.over
    assert run.result[0] == pytest.approx(0.9)
    weights, facts = unpack(run.work("b") or b"")
    assert facts["over"]
    assert np.array_equal(weights["w"], first)


def test_an_update_a_hundred_times_too_long_is_left_out_and_said(tmp_path: Path) -> None:
    run = started(tmp_path)
    run.answer("a", 1, sent(1.0))
    run.answer("b", 1, sent(100.0))
    run.answer("c", 1, sent(1.0))
    assert np.allclose(run.weights["w"], 1.0)
    assert run.history[0].accepted == ("a", "c")
    _, facts = unpack(run.work("b") or b"")
    assert "too long" in facts["refused"]
    assert unpack(run.work("a") or b"")[1]["refused"] == ""


def test_changes_that_grow_at_all_sites_are_taken(tmp_path: Path) -> None:
    run = started(tmp_path)
    for number, value in ((1, 0.01), (2, 1.0)):
        for name in SITES:
            run.answer(name, number, sent(value))
    assert [one.refused for one in run.history] == [{}, {}]
    assert np.allclose(run.weights["w"], 1.01)


def test_of_two_sites_the_one_that_shouts_is_left_out(tmp_path: Path) -> None:
    run = started(tmp_path, Rules(SITES, patience=0.0))
    run.answer("c", 1, sent(100.0))
    run.answer("a", 1, sent(1.0))
    assert set(run.history[0].refused) == {"c"}
    assert np.allclose(run.weights["w"], 0.0)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80\x04K\x01.",
        pack({"w": np.zeros(4, np.float32)}, {}),
        pack({"w": np.full((2, 2), np.nan, np.float32)}, {}),
        pack(change(1.0), {"counts": [[1, 1, 5]] * len(THRESHOLDS)}),
        pack(change(1.0), {"counts": "患者"}),
    ],
    ids=["empty", "pickle", "shape", "nan", "more right than found", "text"],
)
def test_a_message_that_cannot_be_used_is_refused_and_holds_nobody_up(
    tmp_path: Path, data: bytes
) -> None:
    run = started(tmp_path)
    with pytest.raises(SiteRefused, match=r"[(]"):
        run.answer("c", 1, data)
    run.answer("a", 1, sent(1.0))
    run.answer("b", 1, sent(1.0))
    assert run.number == 2
    assert set(run.history[0].refused) == {"c"}


@given(
    st.binary(max_size=200),
    st.integers(0, 160),
    st.recursive(st.none() | st.integers(), lambda inner: st.lists(inner, max_size=3)),
)
@settings(max_examples=60, deadline=None)
def test_no_bytes_break_the_reader(noise: bytes, place: int, counts: object) -> None:
    whole = pack(change(1.0), {"counts": counts})
    for data in (noise, whole[:place] + noise, whole[:place] + noise + whole[place + len(noise) :]):
        try:
            weights, facts = unpack(data)
        except MessageInvalid:
            continue
        assert isinstance(facts, dict)
        assert all(value.dtype == np.float32 for value in weights.values())
    assert unpack(whole)[1] == {"counts": counts}
    with contextlib.suppress(MessageInvalid):
        assert len(scored.checked(counts)) == len(THRESHOLDS)


def test_a_silent_site_is_waited_for_only_so_long_and_may_come_back(tmp_path: Path) -> None:
    run = started(tmp_path, Rules(SITES, patience=0.0))
    run.answer("a", 1, sent(1.0))
    assert run.number == 1
    run.answer("b", 1, sent(1.0))
    assert run.number == 2
    assert run.history[0].absent == ("c",)
    with pytest.raises(SiteRefused, match="Round 1 is over"):
        run.answer("c", 1, sent(1.0))
    assert unpack(run.work("c") or b"")[1]["round"] == 2


def test_a_killed_coordinator_goes_on_with_the_round_it_was_in(tmp_path: Path) -> None:
    run = started(tmp_path)
    for name in SITES:
        run.answer(name, 1, sent(3.0))
    again = Federation(Rules(SITES), tmp_path, begin)
    assert again.number == 2
    assert np.allclose(again.weights["w"], 3.0)
    assert again.history == run.history
    for name in SITES:
        again.answer(name, 2, sent(1.0))
    assert again.number == 3
    (tmp_path / STATE).write_bytes(b"half")
    with pytest.raises(MessageInvalid, match="delete it"):
        Federation(Rules(SITES), tmp_path, begin)


def test_a_late_site_with_types_of_its_own_is_told_so(tmp_path: Path) -> None:
    run = started(tmp_path, Rules(SITES, wait=0.0), ("a", "b"))
    with pytest.raises(SiteRefused, match="without these types: sign"):
        run.join("c", Joined(3, 9, ("sign",), False))
    run.join("c", Joined(3, 9, ("drug",), False))
    with pytest.raises(SiteRefused, match="no annotated"):
        run.join("c", Joined(0, 0, ("drug",), False))


def test_clipping_bounds_what_one_site_can_do_and_noise_is_as_stated() -> None:
    privacy = Privacy(clip=1.0, noise=0.5)
    assert norm(clipped(change(100.0), 1.0)) == pytest.approx(1.0, rel=1e-5)
    zero = {"w": np.zeros((300, 300), np.float32)}
    updates = [Update(zero, 7), Update(zero, 1)]
    made = average(zero, updates, privacy, np.random.default_rng(1))
    assert np.std(made["w"]) == pytest.approx(0.5 * 1.0 / 2, rel=0.02)


def test_epsilon_is_that_of_the_gaussian_mechanism() -> None:
    # One release with sigma 1: delta at epsilon 1 is Phi(-1/2) - e Phi(-3/2).
    phi = lambda x: math.erfc(-x / math.sqrt(2)) / 2  # noqa: E731
    assert delta(1.0, 1.0, 1) == pytest.approx(phi(-0.5) - math.e * phi(-1.5))
    # T releases are one with noise divided by the root of T.
    assert epsilon(4.0, 16) == pytest.approx(epsilon(1.0, 1))
    assert epsilon(1.0, 30) > epsilon(2.0, 30) > epsilon(2.0, 3)
    assert epsilon(0.01, 100) > 1_000
    assert epsilon(0.0, 1) == math.inf
