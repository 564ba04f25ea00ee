"""The whole measurement on one simulated chest whose nodules are plain to see."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from chest_samples import chest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.imaging.volume import Volume
from eval.clinical.detection.cases import Case, inserted_cases
from eval.clinical.detection.measure import judge, judge_all, summarize

TWO = (("left", "solid", 12.0), ("right", "part_solid", 16.0))


def test_nodules_that_are_found_count_and_those_that_are_not_there_do_not() -> None:
    volume, truth = chest(*TWO)
    # A nodule that nobody put there can only be missed.
    gone = replace(truth[0], index=(2.0, 10.0, 10.0))
    judged = judge_all([Case("a", volume, [*truth, gone])])
    assert [one.score >= 0.4 for one in judged[0].found] == [True, True, False]
    result = summarize(judged, [], seed=7)
    assert result.scores["sensitivity_4fp"] == pytest.approx(100 * 2 / 3)
    assert result.scores["candidates"] == pytest.approx(100 * 2 / 3)
    assert result.kind == "detection"
    assert any("simulated" in table.title for table in result.tables)


def test_marks_in_an_excluded_region_are_no_false_marks() -> None:
    volume, truth = chest(*TWO)
    plain = judge(Case("a", volume, list(truth)))
    everywhere = np.ones(volume.grid.shape, bool)
    excluded = judge(Case("a", volume, list(truth), everywhere))
    assert len(plain.marks.false) > 0
    assert len(excluded.marks.false) == 0
    assert np.array_equal(plain.marks.nodules, excluded.marks.nodules)


@settings(max_examples=5)
@given(st.integers(2, 1000), st.booleans())
def test_inserted_nodules_lie_where_the_stored_image_says(seed: int, upside_down: bool) -> None:
    volume, _ = chest(*TWO)
    volume = volume.with_array(np.full(volume.grid.shape, -850, np.float32))
    if upside_down:
        volume = _upside_down(volume)
    lung = np.ones(volume.grid.shape, bool)
    none = np.zeros(volume.grid.shape, bool)
    (case,) = inserted_cases(volume, lung, none, 1, seed, nodules=2)
    for one in case.nodules:
        index = tuple(np.round(one.index).astype(int))
        box = tuple(slice(max(n - 1, 0), n + 2) for n in index)
        assert case.volume.array[box].max() > -750
    changed = np.argwhere(case.volume.array > -750)
    for place in changed:
        apart = [
            np.linalg.norm((place - one.index) * volume.grid.spacing) - one.diameter / 2
            for one in case.nodules
        ]
        # A nodule is no ball, and is blurred; a mirrored one would lie centimetres away.
        assert min(apart) < 6


def test_each_copy_has_its_own_nodules_alone() -> None:
    volume, _ = chest(*TWO)
    volume = volume.with_array(np.full(volume.grid.shape, -850, np.float32))
    lung = np.ones(volume.grid.shape, bool)
    first, second = inserted_cases(volume, lung, np.zeros_like(lung), 2, 5, nodules=2)
    assert (volume.array == -850).all()
    for one in first.nodules:
        index = tuple(np.round(one.index).astype(int))
        if min(np.linalg.norm((np.array(index) - o.index) * 2) for o in second.nodules) > 30:
            assert second.volume.array[index] == -850


def _upside_down(volume: Volume) -> Volume:
    last = np.array([[volume.grid.shape[0] - 1, 0.0, 0.0]])
    axes = volume.grid.axes * np.array([-1, 1, 1])
    origin = volume.grid.positions(last)[0]
    return replace(volume, grid=replace(volume.grid, origin=origin, axes=axes))
