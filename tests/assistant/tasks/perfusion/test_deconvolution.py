"""Deconvolution of curves whose residue function is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.tasks.perfusion.curves import Reduced, common_times, extension, interpolation
from assistant.tasks.perfusion.deconvolution import Residues, deconvolved, oscillation
from assistant.tasks.perfusion.model import fitted
from eval.clinical.perfusion.phantom import FINE, arterial_input, residue_function

TIMES = np.arange(50.0)


def curve(flow: float, mtt: float, delay: float, name: str = "exponential") -> np.ndarray:
    """Tissue of a flow in 1/s, without any constants."""
    fine = np.arange(0, 50, FINE)
    residue = residue_function(name, fine, mtt)  # type: ignore[arg-type]
    residue[0] *= 0.5
    through = flow * np.convolve(arterial_input(fine), residue)[: len(fine)] * FINE
    return np.interp(TIMES - delay, fine, through, left=0.0)


def read(curves: list[np.ndarray], method: str = "osvd") -> Residues:
    """The residues of curves; each sample is a component of its own."""
    scores = np.array(curves, np.float32)
    reduced = Reduced(scores, np.eye(len(TIMES), dtype=np.float32), 0.05, len(TIMES))
    artery = np.interp(TIMES, np.arange(0, 50, FINE), arterial_input(np.arange(0, 50, FINE)))
    if method == "bayes":
        return fitted(reduced, artery, 1.0, 0.05)
    return deconvolved(reduced, artery, 1.0, 0.035)


def test_flow_does_not_depend_on_delay() -> None:
    found = read([curve(0.01, 5, delay) for delay in (0, 1, 2, 3, 4, 5)])
    assert np.ptp(found.peak) < 0.05 * found.peak.mean()
    assert np.diff(found.tmax) == pytest.approx(np.ones(5), abs=0.25)
    assert found.area == pytest.approx(np.full(6, 0.05), rel=0.08)


@pytest.mark.parametrize("mtt", [3.0, 6.0, 12.0])
def test_both_methods_find_volume_and_flow(mtt: float) -> None:
    flow = 0.05 / mtt
    svd, model = (read([curve(flow, mtt, 2)], method) for method in ("osvd", "bayes"))
    assert svd.area[0] == pytest.approx(0.05, rel=0.1)
    # The SVD is known to smooth short transits away.
    assert svd.peak[0] == pytest.approx(flow, rel=0.45)
    assert model.area[0] == pytest.approx(0.05, rel=0.06)
    assert model.peak[0] == pytest.approx(flow, rel=0.12)
    assert model.tmax[0] == pytest.approx(2, abs=0.4)


@settings(max_examples=15, deadline=None)
@given(factor=st.floats(0.01, 100))
def test_flow_is_proportional_to_the_curve(factor: float) -> None:
    one = curve(0.01, 5, 1)
    found = read([one, one * factor])
    assert found.peak[1] == pytest.approx(factor * found.peak[0], rel=1e-3)
    assert found.tmax[1] == pytest.approx(found.tmax[0], abs=1e-3)


def test_oscillation_index_is_that_of_its_definition() -> None:
    steady = np.linspace(1, 0, 11, dtype=np.float32)[None]
    assert oscillation(steady)[0] == pytest.approx(0, abs=1e-6)
    jagged = np.array([[1, 0, 1, 0, 1]], np.float32)
    assert oscillation(jagged)[0] == pytest.approx(3 * 2 / 1 / 5)


def test_a_curve_is_followed_by_its_own_end() -> None:
    long = extension(10) @ np.array([0.0] * 7 + [6.0, 6.0, 6.0])
    assert len(long) == 20
    assert (np.diff(long[9:]) <= 0).all()
    assert 5.8 < long[10] <= 6
    assert long[-1] < 0.2


@given(st.lists(st.floats(0.4, 4), min_size=12, max_size=40))
@settings(max_examples=30, deadline=None)
def test_uneven_times_come_to_even_ones(steps: list[float]) -> None:
    times = np.cumsum([0.0, *steps])
    target = common_times(times[None])
    assert target[-1] <= times[-1] + 1
    # A straight line stays one.
    line = interpolation(times, target) @ (2 * times + 1)
    inside = target <= times[-1]
    assert line[inside] == pytest.approx(2 * target[inside] + 1, abs=1e-6)
