"""Categories by size: the rows of the published tables, and their borders."""

from __future__ import annotations

import pytest

from assistant.tasks.detection.category import size_rules
from assistant.tasks.detection.draft import Density


@pytest.mark.parametrize(
    ("density", "mean", "solid", "category"),
    [
        ("solid", 5.9, 5.9, "2"),
        ("solid", 6.0, 6.0, "3"),
        ("solid", 7.94, 7.94, "3"),
        ("solid", 7.95, 7.95, "4A"),
        ("solid", 14.9, 14.9, "4A"),
        ("solid", 15.0, 15.0, "4B"),
        ("part_solid", 5.9, 3.0, "2"),
        ("part_solid", 12.0, 5.9, "3"),
        ("part_solid", 12.0, 6.0, "4A"),
        ("part_solid", 12.0, 8.0, "4B"),
        ("ground_glass", 29.9, 0.0, "2"),
        ("ground_glass", 30.0, 0.0, "3"),
    ],
)
def test_lung_rads(density: Density, mean: float, solid: float, category: str) -> None:
    assert size_rules("lung_rads").of(density, mean, solid).category == category


@pytest.mark.parametrize(
    ("density", "mean", "said"),
    [
        ("solid", 5.4, "no routine follow-up at low risk"),
        ("solid", 5.5, "6-12 months"),  # sizes are rounded to whole millimetres first
        ("solid", 8.4, "6-12 months"),
        ("solid", 8.5, "PET/CT"),
        ("part_solid", 5.0, "no routine follow-up"),
        ("part_solid", 7.0, "3-6 months"),
        ("ground_glass", 7.0, "until 5 years"),
    ],
)
def test_fleischner(density: Density, mean: float, said: str) -> None:
    assert said in size_rules("fleischner").of(density, mean, 0).en


def test_each_scheme_names_its_source() -> None:
    for name in ("lung_rads", "fleischner"):
        assert len(size_rules(name).source) > 10
