"""A quicker precision is taken where it is clearly quicker and costs little; and remembered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from serving.hardware import choice, cpu
from serving.vision import precision
from serving.vision.precision import Trial

LABELS = np.repeat(np.arange(3, dtype=np.uint8), 100)


def trial(wrong: int = 0) -> Trial:
    other = LABELS.copy()
    other[100 : 100 + wrong] = 2

    return Trial(lambda name: lambda: None, lambda name: LABELS if name == "f32" else other)


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, float]]:
    seconds: list[dict[str, float]] = []
    monkeypatch.setattr(cpu, "flags", lambda: frozenset({"avx512_bf16"}))

    def measure(ways: Any, prepare: Any) -> dict[str, float]:
        return seconds.pop()

    monkeypatch.setattr(choice, "measure", measure)
    return seconds


@pytest.mark.parametrize(
    ("bf16", "wrong", "chosen"),
    [(0.5, 0, "bf16"), (0.95, 0, "f32"), (0.5, 5, "f32"), (0.5, 1, "bf16")],
)
def test_quicker_and_as_good(
    tmp_path: Path, measured: list[dict[str, float]], bf16: float, wrong: int, chosen: str
) -> None:
    measured.append({"f32": 1.0, "bf16": bf16})
    kept = tmp_path / "kept.json"
    assert precision.chosen("d", trial(wrong), 0.01, kept) == chosen
    # Nothing is left to measure with: it is remembered.
    assert precision.chosen("d", trial(wrong), 0.01, kept) == chosen
    assert list(json.loads(kept.read_text()).values()) == [chosen]


def test_eight_bits_are_tried_first_where_they_are_quickest(
    tmp_path: Path, measured: list[dict[str, float]]
) -> None:
    asked: list[str] = []

    def labels(way: str) -> Any:
        asked.append(way)
        return trial(5).labels("bf16" if way == "int8" else "f32")

    measured.append({"f32": 1.0, "bf16": 0.6, "int8": 0.3})
    kept = tmp_path / "kept.json"
    found = precision.chosen("d", Trial(lambda name: lambda: None, labels), 0.01, kept, True)
    # Eight bits lose too much here, so the next quickest is asked.
    assert (found, asked) == ("bf16", ["f32", "int8", "bf16"])


def test_some_layers_in_floats_where_all_in_bfloat16_lose_too_much(
    tmp_path: Path, measured: list[dict[str, float]]
) -> None:
    wrong = {"f32": 0, "bf16": 9, "bf16:2": 5, "bf16:4": 1, "bf16:6": 0}

    def labels(way: str) -> Any:
        return trial(wrong[way]).labels("bf16")

    measured.append({"f32": 1.0, "bf16": 0.6})
    tried = Trial(lambda name: lambda: None, labels, lambda name: ["bf16:2", "bf16:4", "bf16:6"])
    kept = tmp_path / "kept.json"
    assert precision.chosen("d", tried, 0.01, kept) == "bf16:4"
    assert precision.chosen("d", tried, 0.01, kept) == "bf16:4"


def test_without_the_instruction_nothing_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cpu, "flags", lambda: frozenset({"avx2"}))
    assert precision.chosen("d", trial(), 0.01, tmp_path / "kept.json") == "f32"
    assert not (tmp_path / "kept.json").exists()


def test_dice_is_the_mean_over_classes() -> None:
    other = LABELS.copy()
    other[100:150] = 0
    assert precision.dice(LABELS, LABELS) == 1
    assert precision.dice(LABELS, other) == pytest.approx((2 * 50 / 150 + 1) / 2)
    assert precision.dice(np.zeros(5, np.uint8), np.zeros(5, np.uint8)) == 1
