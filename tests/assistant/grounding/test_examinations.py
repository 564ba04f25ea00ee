"""What was found by which examination; words that contradict one another."""

from __future__ import annotations

import re

import pytest

from assistant.grounding.examinations import examination_rows, results
from assistant.grounding.opposites import Contraries, opposite_rows
from knowledge.text.folding import fold


@pytest.mark.parametrize("row", examination_rows(), ids=lambda row: row[1])
def test_a_row_finds_its_example(row: list[str]) -> None:
    assert re.search(row[2], fold(row[3]))


@pytest.mark.parametrize("row", opposite_rows(), ids=lambda row: "-".join(row[-2:]))
def test_a_row_tells_its_examples_apart(row: list[str]) -> None:
    said, written = row[-2:]
    assert Contraries(said).opposed(written)
    assert Contraries(written).opposed(said)
    assert not Contraries(said).opposed(said)


def test_each_result_has_its_examination() -> None:
    blood, sputum = results("血培养阴性，痰培养示肺炎克雷伯菌")
    assert (blood.text, sputum.text) == ("阴性，", "示肺炎克雷伯菌")
    assert not blood.is_of(sputum)
    chest, any_ct = results("胸部CT示结节")[0], results("CT示结节")[0]
    assert chest.is_of(any_ct)
    earlier, now = results("半年前胃镜示溃疡，本次胃镜示胃癌")
    assert not earlier.is_of(now)
