"""Layer by layer, a few slices at a time: the same classes as the whole volume at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import vision_models
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.vision import chain, layerwise, tfjs
from serving.vision.folder import open_folder
from serving.vision.layer_graph import Numbers, packed
from serving.vision.network import Network
from serving.vision.problem import Cancelled
from serving.vision.region import Tissue, shared_sizes

SHAPE = (40, 30, 36)


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> list[chain.Stage]:
    folder = vision_models.write(tmp_path_factory.mktemp("chain"), vision_models.kernels())
    found = chain.stages_of(tfjs.read(folder))
    assert found is not None
    return found


def sure(scores: np.ndarray) -> np.ndarray:
    """Where the greatest score is clearly the greatest: rounding decides nothing there."""
    best = np.sort(scores, axis=0)
    return best[-1] - best[-2] > 1e-3


def test_everything_is_exact_with_and_without_background(stages: list[chain.Stage]) -> None:
    volume = vision_models.head(SHAPE)
    scores = vision_models.answer(vision_models.kernels(), volume)
    wanted = scores.argmax(axis=0)
    clear = sure(scores)
    assert clear.mean() > 0.95
    everything = layerwise.labels(stages, volume, None)
    assert (everything == wanted)[clear].all()
    tissue = layerwise.labels(stages, volume, 0.0)
    assert len(np.unique(tissue[volume > 0])) > 1
    assert (tissue == wanted)[clear & (volume > 0)].all()


@pytest.mark.parametrize("at", [(0, 0, 0), (26, 12, 20), (12, 20, 0)])
def test_tissue_at_an_edge_sees_the_padding(
    stages: list[chain.Stage], at: tuple[int, int, int]
) -> None:
    volume = np.zeros(SHAPE, np.float32)
    part = tuple(slice(a, a + 10) for a in at)
    volume[part] = np.random.default_rng(2).uniform(0.2, 1, (10, 10, 10))
    scores = vision_models.answer(vision_models.kernels(), volume)
    found = layerwise.labels(stages, volume, 0.0)
    where = sure(scores) & (volume > 0)
    assert (found == scores.argmax(axis=0))[where].all()


def test_pieces_of_a_volume_that_does_not_fit_are_exact(tmp_path: Path) -> None:
    folder = vision_models.write(tmp_path, vision_models.kernels())
    opened = open_folder(folder)
    volume = vision_models.head(SHAPE)
    whole = Network(opened, "f32").labels(volume, 0.0)
    small = Network(opened, "f32", budget=200_000).labels(volume, 0.0)
    inside = (volume > 0) & sure(vision_models.answer(vision_models.kernels(), volume))
    assert (whole == small)[inside].all()


def test_it_tells_how_far_it_is_and_stops_when_told(stages: list[chain.Stage]) -> None:
    volume = vision_models.head(SHAPE)
    told: list[tuple[int, int]] = []
    layerwise.labels(stages, volume, 0.0, report=lambda done, total, _: told.append((done, total)))
    assert told[-1][0] == told[-1][1] > 0
    assert [one for one, _ in told] == sorted(one for one, _ in told)
    with pytest.raises(Cancelled):
        layerwise.labels(stages, volume, 0.0, cancelled=lambda: True)


def test_an_empty_image_is_background_everywhere(stages: list[chain.Stage]) -> None:
    found = layerwise.labels(stages, np.zeros((8, 8, 8), np.float32), 0.0)
    assert len(np.unique(found)) == 1


def test_bfloat16_is_rounded_to_the_nearest() -> None:
    values = np.float32([1.0, 1.00390625, 1.01171875, -2.5, 0.0])
    bits = packed(values, "bf16").astype(np.uint32) << 16
    assert bits.view(np.float32).tolist() == [1.0, 1.0, 1.015625, -2.5, 0.0]


def test_other_graphs_are_no_row(tmp_path: Path) -> None:
    kernel = np.ones((3, 3, 3, 1, 2), np.float32)
    strided = vision_models.convolution("a", "input", kernel)
    strided["config"]["strides"] = [2, 2, 2]
    tensors = {"a/kernel": kernel, "a/bias": np.zeros(2, np.float32)}
    model = vision_models.topology([strided])
    assert (
        chain.stages_of(tfjs.read(vision_models.write_folder(tmp_path, model, tensors, 2))) is None
    )


@given(st.lists(st.tuples(st.integers(1, 300), st.integers(1, 300)), min_size=1, max_size=20))
def test_a_shared_size_is_never_smaller(wanted: list[tuple[int, int]]) -> None:
    chosen = shared_sizes(wanted, 2000.0)
    for size in wanted:
        assert chosen[size][0] >= size[0]
        assert chosen[size][1] >= size[1]
    assert set(chosen.values()) <= set(wanted)


@settings(max_examples=40)
@given(st.data())
def test_what_is_needed_holds_what_is_computed(data: st.DataObject) -> None:
    mask = np.zeros((20, 20, 20), bool)
    for _ in range(data.draw(st.integers(1, 4))):
        at = [data.draw(st.integers(0, 19)) for _ in range(3)]
        mask[tuple(at)] = True
    before, after = (data.draw(st.integers(0, 6)) for _ in range(2))
    start = data.draw(st.integers(0, 16))
    tissue = Tissue(mask)
    rect, needed = tissue.to_compute(start, start + 4, (before,) * 3, (after,) * 3)
    area = 0 if needed is None else needed.size[0] * needed.size[1]
    held = 0 if rect is None else rect.size[0] * rect.size[1]
    if needed is not None:
        rest = sum((y.stop - y.start) * (x.stop - x.start) for y, x in needed.without(rect))
        assert held + rest == area
    else:
        assert rect is None


def test_first_layers_in_float32_and_the_rest_in_bfloat16_in_the_same_memory(
    stages: list[chain.Stage],
) -> None:
    """Rounding only where numbers are rounded: the classes are those of bfloat16 after floats."""
    volume = vision_models.head((24, 22, 20))
    exact = layerwise.labels(stages, volume, 0.0)
    wrong = [
        int(np.count_nonzero(layerwise.labels(stages, volume, 0.0, Numbers(n)) != exact))
        for n in (0, 1, 2, 1_000)
    ]
    assert wrong[-1] == 0
    assert max(wrong) < 0.05 * volume.size
    assert wrong[2] <= wrong[0]
