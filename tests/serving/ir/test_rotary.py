"""Rotations of every style give, after reordering, the products that the papers' formulae give."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from serving.ir.rotary import Rotary, RotaryUnknown, rotary, rotary_two_axes

Vector = NDArray[np.float64]
LLAMA3 = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 8192,
}


def turned(turn: Rotary, head: Vector, *places: float) -> Vector:
    """A head as the graph turns it: halves of the reordered head are the pairs."""
    first, second = np.split(head[turn.order], 2)
    angles = sum(place * row for place, row in zip(places, turn.frequencies, strict=True))
    sine, cosine = np.sin(angles) * turn.magnitude, np.cos(angles) * turn.magnitude
    return np.concatenate([first * cosine - second * sine, second * cosine + first * sine])


def pairs_turned(head: Vector, pairs: list[tuple[int, int]], angles: list[float]) -> Vector:
    """The same by the definition: each pair turns by its angle, the rest stays."""
    result = head.copy()
    for (one, other), angle in zip(pairs, angles, strict=True):
        result[one] = head[one] * math.cos(angle) - head[other] * math.sin(angle)
        result[other] = head[other] * math.cos(angle) + head[one] * math.sin(angle)
    return result


def heads(size: int) -> tuple[Vector, Vector]:
    random = np.random.default_rng(size)
    return random.standard_normal(size), random.standard_normal(size)


@given(
    half=st.integers(1, 32),
    still=st.integers(0, 16),
    neighbours=st.booleans(),
    places=st.tuples(st.integers(0, 5000), st.integers(0, 5000)),
)
def test_the_product_of_query_and_key_is_that_of_the_definition(
    half: int, still: int, neighbours: bool, places: tuple[int, int]
) -> None:
    size, base = 2 * half, 10_000.0
    query, key = heads(size + 2 * still)
    turn = rotary(size + 2 * still, base, size, neighbours=neighbours)
    pairs = [(2 * i, 2 * i + 1) if neighbours else (i, i + half) for i in range(half)]
    frequencies = [base ** (-2 * i / size) for i in range(half)]
    expected = [
        pairs_turned(head, pairs, [place * f for f in frequencies])
        for head, place in zip((query, key), places, strict=True)
    ]
    found = turned(turn, query, places[0]) @ turned(turn, key, places[1])
    assert found == pytest.approx(float(expected[0] @ expected[1]), abs=1e-9)


@given(quarter=st.integers(1, 16), places=st.lists(st.integers(0, 2000), min_size=4, max_size=4))
def test_two_axes_turn_one_half_each(quarter: int, places: list[int]) -> None:
    size, half = 4 * quarter, 2 * quarter
    query, key = heads(size)
    turn = rotary_two_axes(size)
    frequencies = [10_000.0 ** (-2 * i / half) for i in range(quarter)]

    def expected(head: Vector, axes: list[int]) -> Vector:
        parts = []
        for part, place in zip(np.split(head, 2), axes, strict=True):
            pairs = [(i, i + quarter) for i in range(quarter)]
            parts.append(pairs_turned(part, pairs, [place * f for f in frequencies]))
        return np.concatenate(parts)

    found = turned(turn, query, *places[:2]) @ turned(turn, key, *places[2:])
    wanted = expected(query, places[:2]) @ expected(key, places[2:])
    assert found == pytest.approx(float(wanted), abs=1e-9)


def test_every_element_is_used_once() -> None:
    for turn in (rotary(10, 1e4, 6, neighbours=True), rotary(10, 1e4, 4), rotary_two_axes(16)):
        assert sorted(turn.order) == list(range(len(turn.order)))
        assert turn.frequencies.shape[1] == len(turn.order) // 2


def test_linear_scaling_slows_every_frequency() -> None:
    scaled = rotary(64, 1e4, scaling={"type": "linear", "factor": 4.0})
    np.testing.assert_allclose(scaled.frequencies, rotary(64, 1e4).frequencies / 4)


def test_llama3_keeps_short_waves_slows_long_ones_and_blends_between() -> None:
    plain = rotary(128, 500_000.0).frequencies[0]
    scaled = rotary(128, 500_000.0, scaling=LLAMA3).frequencies[0]
    waves = 2 * math.pi / plain
    short, long = waves < 8192 / 4, waves > 8192
    np.testing.assert_allclose(scaled[short], plain[short])
    np.testing.assert_allclose(scaled[long], plain[long] / 8)
    between = ~short & ~long
    assert between.any()
    assert ((scaled[between] < plain[between]) & (scaled[between] > plain[between] / 8)).all()
    middle = np.argmin(np.abs(waves - 8192 / 2.5))
    share = (8192 / waves[middle] - 1) / 3
    assert scaled[middle] == pytest.approx(plain[middle] * ((1 - share) / 8 + share))


def test_divisors_divide() -> None:
    given = {"rope_type": "divisors", "divisors": [1.0, 2.0, 4.0, 8.0]}
    found = rotary(8, 1e4, scaling=given).frequencies
    np.testing.assert_allclose(found * [1, 2, 4, 8], rotary(8, 1e4).frequencies)


def test_yarn_slows_long_waves_only_and_sharpens_attention() -> None:
    given = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768}
    plain, scaled = rotary(128, 1e6), rotary(128, 1e6, scaling=given)
    np.testing.assert_allclose(scaled.frequencies[0, 0], plain.frequencies[0, 0])
    np.testing.assert_allclose(scaled.frequencies[0, -1], plain.frequencies[0, -1] / 4)
    # 32 turns in 32,768 positions lie at dimension 23.6 of 64, one turn at 39.7.
    share = scaled.frequencies[0] / plain.frequencies[0]
    assert np.flatnonzero(share < 1).min() == 24
    assert np.flatnonzero(share > 0.25 + 1e-12).max() == 39
    assert share[31] == pytest.approx(1 - 0.75 * (31 - 23) / (40 - 23))
    assert scaled.magnitude == pytest.approx(0.1 * math.log(4) + 1)
    from_context = {"rope_type": "yarn", "factor": 4.0}
    same = rotary(128, 1e6, scaling=from_context, context=32768)
    np.testing.assert_allclose(same.frequencies, scaled.frequencies)
    assert rotary(128, 1e6, scaling=given | {"attention_factor": 1.5}).magnitude == 1.5


@pytest.mark.parametrize(
    ("given", "magnitude"),
    [
        ({"mscale": 1.0, "mscale_all_dim": 1.0}, 1.0),
        (
            {"mscale": 1.0, "mscale_all_dim": 0.5},
            (0.1 * math.log(4) + 1) / (0.05 * math.log(4) + 1),
        ),
        ({"mscale": 0.707}, 0.1 * math.log(4) + 1),
        ({"mscale": 1.0, "mscale_all_dim": 0}, 0.1 * math.log(4) + 1),
        ({"mscale": 1.0, "mscale_all_dim": 1.0, "attention_factor": 1.2}, 1.2),
        ({"factor": None}, 0.1 * math.log(4) + 1),
        ({"factor": 1.0}, 1.0),
    ],
)
def test_yarns_temperature_is_that_of_transformers(given: dict, magnitude: float) -> None:
    scaling = {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768} | given
    assert rotary(128, 1e6, scaling=scaling, context=131072).magnitude == pytest.approx(magnitude)


def test_yarns_bounds_are_whole_dimensions_unless_said_otherwise() -> None:
    given = {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768}
    share = rotary(128, 1e6, scaling=given | {"truncate": False}).frequencies[0]
    share = share / rotary(128, 1e6).frequencies[0]
    low, high = (
        128 * math.log(32768 / (turns * 2 * math.pi)) / (2 * math.log(1e6)) for turns in (32, 1)
    )
    assert share[31] == pytest.approx(1 - 0.75 * (31 - low) / (high - low))


@pytest.mark.parametrize("kind", ["dynamic", "longrope", "su"])
def test_an_unknown_scaling_is_named(kind: str) -> None:
    scaling: dict[str, Any] = {"rope_type": kind, "factor": 2.0}
    with pytest.raises(RotaryUnknown, match=kind):
        rotary(64, 1e4, scaling=scaling)
