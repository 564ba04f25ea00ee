"""The graph computes what each family's reference computes, however it is asked."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from converted import Running, compiled
from reference import Reference, logits
from tiny_checkpoint import GEOMETRIES, write_checkpoint

CASES = [(family, name) for family, named in GEOMETRIES.items() for name in named]
FAMILIES = [(family, next(iter(named))) for family, named in GEOMETRIES.items()]
TOLERANCE = 1e-4
# What a state gathers over tokens is rounded at each of them; logits go up to some ten.
OF_STATES = 4e-4


def tolerance(running: Running) -> float:
    """Logits may differ by this from the reference's."""
    return OF_STATES if running.architecture.hybrid else TOLERANCE


Make = Callable[[str, str], tuple[Path, Running]]


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """A checkpoint and its graph, which are made once and have forgotten everything."""

    @cache
    def made(family: str, geometry: str) -> tuple[Path, Running]:
        folder = tmp_path_factory.mktemp(f"{family}-{geometry}")
        source = write_checkpoint(folder / "source", family, **GEOMETRIES[family][geometry])
        return source, compiled(source, folder)

    def fresh(family: str, geometry: str) -> tuple[Path, Running]:
        source, running = made(family, geometry)
        running.reset()
        return source, running

    return fresh


def tokens(running: Running, batch: int, length: int, seed: int = 0) -> np.ndarray[Any, Any]:
    """Random ids; for ChatGLM-6B with the mask and the start of the answer two thirds along."""
    architecture = running.architecture
    random = np.random.default_rng(seed)
    start = architecture.prefix_token
    if start is None:
        return random.integers(0, architecture.vocabulary, (batch, length))
    ids = random.integers(0, min(start, *architecture.mask_tokens), (batch, length))
    ids[:, 2 * length // 3 - 1] = architecture.mask_tokens[-1]
    ids[:, 2 * length // 3] = start
    return ids


@pytest.mark.parametrize(("family", "geometry"), CASES)
def test_logits_agree_with_the_reference(make: Make, family: str, geometry: str) -> None:
    source, running = make(family, geometry)
    ids = tokens(running, 2, 24)
    expected = logits(source, ids)
    assert np.abs(expected).max() > 1
    np.testing.assert_allclose(running.step(ids), expected, rtol=0, atol=tolerance(running))


@pytest.mark.parametrize(("family", "geometry"), FAMILIES)
def test_sixty_four_greedy_tokens_are_those_of_the_reference(
    make: Make, family: str, geometry: str
) -> None:
    source, running = make(family, geometry)
    prompt = tokens(running, 1, 12)[0]
    answer = running.greedy(prompt, 64)
    # No token lies below the likeliest by more than two logits can differ in float32.
    assert Reference(source).shortfall(prompt, answer).max() < TOLERANCE
    assert len(set(answer)) > 8


@pytest.mark.parametrize(("family", "geometry"), FAMILIES)
def test_one_pass_gives_what_single_steps_give(make: Make, family: str, geometry: str) -> None:
    _, running = make(family, geometry)
    ids = tokens(running, 2, 15)
    at_once = running.step(ids)
    running.reset()
    # ChatGLM-6B reads its prompt in both directions, so the prompt must come in one piece.
    begin = 11 if running.architecture.prefix_token is not None else 1
    steps = [running.step(ids[:, :begin])]
    steps += [running.step(ids[:, [place]]) for place in range(begin, 15)]
    np.testing.assert_allclose(np.concatenate(steps, 1), at_once, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize(("family", "geometry"), FAMILIES)
def test_a_padded_row_gives_what_it_gives_alone(make: Make, family: str, geometry: str) -> None:
    _, running = make(family, geometry)
    if running.architecture.hybrid:
        pytest.skip("a state takes in whatever comes; the paged form has no padding")
    long, short = tokens(running, 1, 18)[0], tokens(running, 1, 9, seed=1)[0]
    rows = np.stack([long, np.concatenate([np.zeros(9, np.int64), short])])
    mask = np.ones_like(rows)
    mask[1, :9] = 0
    together = running.step(rows, mask=mask)
    following = running.step([[5], [7]])
    running.reset()
    alone = running.step([short])
    np.testing.assert_allclose(together[1:, 9:], alone, rtol=0, atol=TOLERANCE)
    np.testing.assert_allclose(
        following[1:], running.step([[7]]), rtol=0, atol=TOLERANCE, err_msg="the next step"
    )


@pytest.mark.parametrize(("family", "geometry"), FAMILIES)
def test_beams_go_on_from_the_rows_that_they_name(make: Make, family: str, geometry: str) -> None:
    _, running = make(family, geometry)
    ids = tokens(running, 3, 10)
    running.step(ids)
    swapped = running.step([[3], [4], [5]], beams=[2, 0, 2])
    again = running.step([[6], [7], [8]], beams=[1, 1, 0])
    for row, history in enumerate(([ids[0], [4, 6]], [ids[0], [4, 7]], [ids[2], [3, 8]])):
        running.reset()
        running.step([history[0]])
        rows = running.step([history[1]])[0]
        np.testing.assert_allclose(again[row, 0], rows[1], rtol=0, atol=TOLERANCE)
        if row == 0:
            np.testing.assert_allclose(swapped[1, 0], rows[0], rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize(("family", "geometry"), FAMILIES)
def test_positions_far_along_still_agree(make: Make, family: str, geometry: str) -> None:
    if family == "chatglm":
        pytest.skip("ChatGLM-6B counts positions from its own prompt")
    _, running = make(family, geometry)
    ids = tokens(running, 1, 16)
    near = running.step(ids)
    running.reset()
    far = running.step(ids, positions=np.arange(16)[np.newaxis] + 900)
    # Attention depends on distances only, so the same text further along gives the same logits.
    np.testing.assert_allclose(far, near, rtol=0, atol=2e-3)


def test_a_state_is_right_after_six_hundred_tokens(make: Make) -> None:
    source, running = make("qwen3_5", "wide-states")
    ids = tokens(running, 1, 620)
    expected = logits(source, ids)
    read = np.concatenate([running.step(ids[:, :601]), running.step(ids[:, 601:])], axis=1)
    np.testing.assert_allclose(read, expected, rtol=0, atol=OF_STATES)
