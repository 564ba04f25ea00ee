"""Strengths and packs."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.tasks.bill_ocr.catalogue.specification import of_key, read_specification


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("0.5g", "500mg"),
        ("0.25g*24粒", "250mg×24粒/盒"),
        ("O.25g", "0.25g"),
        ("1OOml:0.9g", "100毫升：0.9克"),
        ("80万单位", "800000U"),
        ("0.25g*12粒*2板", "0.25g*24粒"),
    ],
)
def test_two_spellings_are_one(one: str, other: str) -> None:
    assert read_specification(one)[0] == read_specification(other)[0]


@pytest.mark.parametrize(
    ("one", "other"), [("0.25g", "0.5g"), ("5ml:10mg", "5ml:20mg"), ("0.1g*12片", "0.1g*24片")]
)
def test_what_differs_contradicts(one: str, other: str) -> None:
    assert read_specification(one)[0].contradicts(read_specification(other)[0])


def test_what_is_not_told_contradicts_nothing() -> None:
    assert not read_specification("0.25g")[0].contradicts(read_specification("24粒")[0])


def test_numbers_of_a_name_are_no_strength() -> None:
    found, rest = read_specification("维生素B12注射液 1ml:0.5mg")
    assert "b12" in rest
    assert found.strengths["mass"] == {Fraction(1, 2000)}


@given(st.text(max_size=60))
def test_any_text_is_read_and_its_key_read_back(text: str) -> None:
    found, _ = read_specification(text)
    assert of_key(found.key()).strengths == found.strengths
    assert not found.contradicts(found)
