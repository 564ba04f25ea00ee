"""The projections that lose most keep eight bits, as many as the share allows."""

from __future__ import annotations

from math import prod
from pathlib import Path

import numpy as np
import pytest
from tiny_checkpoint import write_checkpoint

from serving.ir import sensitivity
from serving.ir.architecture import Architecture
from serving.ir.convert import load
from serving.ir.formats import Precision
from serving.ir.matrix import Order, Reader, Stored

SCHEME = Precision().narrow


class Coarse:
    """A checkpoint in which one tensor has an outlier in every group, so four bits lose most."""

    def __init__(self, reader: Reader, name: str) -> None:
        self._reader = reader
        self._name = name

    def expect(self, name: str, shape: tuple[int, ...]) -> None:
        self._reader.expect(name, shape)

    def stored(self, name: str, rows: slice | Order | None = None) -> Stored:
        values = self._reader.stored(name, rows)
        if name == self._name:
            values = values.copy()
            values[:, ::16] *= 12
        return values


@pytest.fixture
def loaded(tmp_path: Path) -> tuple[Reader, Architecture]:
    return load(write_checkpoint(tmp_path, "glm", layers=3))


def chosen(reader: Reader, architecture: Architecture, share: float) -> frozenset[str]:
    return sensitivity.widest(architecture, reader, SCHEME, share, lambda done, total: None)


@pytest.mark.parametrize(
    "name", ["model.layers.1.mlp.down_proj.weight", "model.layers.2.self_attn.q_proj.weight"]
)
def test_the_one_with_outliers_comes_first(loaded: tuple[Reader, Architecture], name: str) -> None:
    reader, architecture = loaded
    sizes = {m.names[0]: prod(m.shape) for m in architecture.projections}
    share = sizes[name] / sum(sizes.values())
    assert chosen(Coarse(reader, name), architecture, share) == {name}


@pytest.mark.parametrize("share", [0.1, 0.3, 0.6, 0.9])
def test_the_share_is_met_to_within_half_a_projection(
    loaded: tuple[Reader, Architecture], share: float
) -> None:
    reader, architecture = loaded
    sizes = {m.names[0]: prod(m.shape) for m in architecture.projections}
    found = sum(sizes[name] for name in chosen(reader, architecture, share))
    assert abs(found - share * sum(sizes.values())) <= max(sizes.values()) / 2


def test_none_and_all(loaded: tuple[Reader, Architecture]) -> None:
    reader, architecture = loaded
    assert chosen(reader, architecture, 0.0) == frozenset()
    every = {m.names[0] for m in architecture.projections}
    assert len(every) == 4 * 3
    assert chosen(reader, architecture, 1.0) == every


def test_every_projection_is_counted_as_it_is_judged(
    loaded: tuple[Reader, Architecture],
) -> None:
    reader, architecture = loaded
    told: list[tuple[int, int]] = []
    sensitivity.widest(architecture, reader, SCHEME, 0.5, lambda *step: told.append(step))
    assert told == [(number, 12) for number in range(1, 13)]
    assert np.all(np.diff([done for done, _ in told]) == 1)
