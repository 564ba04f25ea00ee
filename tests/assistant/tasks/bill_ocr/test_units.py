"""Units as they are meant, of units as they are read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.tasks.bill_ocr.units import tidy_unit


@pytest.mark.parametrize(
    ("read", "meant"),
    [
        ("×10°L", "10^9/L"),
        ("10°/L", "10^9/L"),
        ("109/L", "10^9/L"),
        ("×1012/L", "10^12/L"),
        ("×102L", "10^12/L"),
        ("10^6/L", "10^6/L"),
        ("gL", "g/L"),
        ("mmolL", "mmol/L"),
        ("S", "s"),
        ("/项", "项"),
        ("次", "次"),
        ("mg/L", "mg/L"),
    ],
)
def test_what_print_has_lost_is_put_back(read: str, meant: str) -> None:
    assert tidy_unit(read) == meant


def test_a_power_of_which_nothing_was_read_is_not_made_up() -> None:
    assert tidy_unit("10/L") == "10/L"
    assert tidy_unit("10^/L") == "10^/L"


@given(st.text(alphabet="×x*10°^9236/LlIgmolUu.", max_size=9))
def test_a_tidy_unit_stays_as_it_is(text: str) -> None:
    once = tidy_unit(text)
    assert tidy_unit(once) == once
