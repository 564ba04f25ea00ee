from __future__ import annotations

import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.approval.gate import Gate, GateInvalid, parse_gate

SCORES = {"overall": 60.0, "MedDG": 19.5}


@pytest.mark.parametrize(
    ("text", "unmet"),
    [
        ("overall>=60", ""),
        (" overall >= 59.99 ", ""),
        ("overall>60", "overall 60.0000 is not > 60"),
        ("MedDG>=20", "MedDG 19.5000 is not >= 20"),
        ("CHIP-STS>=0", "CHIP-STS: the run has no such score"),
    ],
)
def test_what_is_met(text: str, unmet: str) -> None:
    assert parse_gate(text).unmet(SCORES) == unmet


def test_a_score_that_is_no_number_meets_nothing() -> None:
    assert parse_gate("overall>=0").unmet({"overall": math.nan})


@pytest.mark.parametrize("text", ["", "overall", "overall=60", "overall<=60", ">=60", "a>=x"])
def test_what_is_no_gate(text: str) -> None:
    with pytest.raises(GateInvalid, match="overall>=60"):
        parse_gate(text)


@given(
    st.text("abcXYZ-2_ 率", min_size=1).map(str.strip).filter(bool),
    st.sampled_from([">=", ">"]),
    st.integers(-1000, 1000),
)
def test_a_gate_reads_as_it_was_written(name: str, sign: str, points: int) -> None:
    gate = Gate(name, sign, float(points))
    assert parse_gate(str(gate)) == gate


@given(st.text())
def test_any_text_is_a_gate_or_a_sentence(text: str) -> None:
    with contextlib.suppress(GateInvalid):
        assert parse_gate(text).sign in (">=", ">")
