"""Blocks of weights: what stands in a block does not change what is found in another."""

from __future__ import annotations

import numpy as np
import pytest

from serving.ir.fitter import Fitter
from serving.ir.scale_search import Block

BLOCKS = [
    Block(groups=24, within=32, bits=bits, symmetric=symmetric, wide=wide, half=False)
    for bits in (4, 8)
    for symmetric in (True, False)
    for wide in (True, False)
]


def drawn(groups: int, seed: int = 0) -> np.ndarray:
    source = np.random.default_rng(seed)
    return (source.standard_t(3, (groups, 32)) * 0.02).astype(np.float16)


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_codes_are_the_nearest_to_what_the_scale_stands_for(block: Block) -> None:
    weights = drawn(24).astype(np.float32)
    found = Fitter(block).fit(weights)
    scale = found.scale.astype(np.float32)[:, None]
    zero = found.zero[:, None]
    nearest = np.clip(np.rint(weights / scale), -zero, block.span - zero)
    counted = found.codes.astype(np.float32) - (0 if block.symmetric else zero)
    # A quotient in the middle of two codes may round either way.
    assert np.abs(counted - nearest).max() <= 1
    assert (
        np.abs(np.abs(counted * scale - weights) - np.abs(nearest * scale - weights)).max() < 1e-6
    )
    assert found.bad.size == 0


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_fewer_groups_and_wider_numbers_give_the_same(block: Block) -> None:
    weights = drawn(24)
    fitter = Fitter(block)
    whole = fitter.fit(weights)
    codes, scale = whole.codes.copy(), whole.scale.copy()
    for part in (weights[:5], weights[:5].astype(np.float32), weights[:5].astype(np.float64)):
        found = fitter.fit(part)
        np.testing.assert_array_equal(found.codes, codes[:5])
        np.testing.assert_array_equal(found.scale, scale[:5])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 600_000])
@pytest.mark.parametrize("block", BLOCKS[:4], ids=str)
def test_groups_that_cannot_be_held_are_named(block: Block, bad: float) -> None:
    weights = drawn(24).astype(np.float32)
    weights[[3, 17], 9] = bad
    assert Fitter(block).fit(weights).bad.tolist() == [3, 17]
    weights[[3, 17], 9] = 0.01
    assert Fitter(block).fit(weights).bad.tolist() == []
