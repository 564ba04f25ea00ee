"""Formulas against worked values, units, what is missing, what is out of range."""

from __future__ import annotations

import math
from datetime import date
from pkgutil import resolve_name

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.calculators.catalogue import calculators, named
from assistant.calculators.compute import Given, InputWrong, Result, compute
from assistant.calculators.conversion import UnitMismatch, convert


def run(key: str, **inputs: Given) -> Result:
    return compute(calculators()[key], inputs)


@pytest.mark.parametrize(
    ("creatinine", "age", "sex", "expected"),
    # Worked by hand from the printed equation of Inker 2021.
    [
        (1.0, 50, "male", 92),
        (1.0, 50, "female", 69),
        (0.6, 30, "female", 124),
        (3.0, 70, "male", 22),
    ],
)
def test_ckd_epi_gives_the_values_of_its_equation(
    creatinine: float, age: int, sex: str, expected: float
) -> None:
    found = run(
        "ckd_epi_2021", creatinine=Given(creatinine, "mg/dL"), age=Given(age), sex=Given(sex)
    )
    assert found.value == pytest.approx(expected, abs=1)


def test_a_creatinine_in_either_unit_gives_the_same() -> None:
    rest = {"age": Given(60, "岁"), "sex": Given("male")}
    one = run("ckd_epi_2021", creatinine=Given(1.5, "mg/dL"), **rest)
    two = run("ckd_epi_2021", creatinine=Given(1.5 * 88.4, "μmol/L"), **rest)
    assert one.value == two.value


@pytest.mark.parametrize(
    ("key", "inputs", "expected"),
    [
        ("schwartz", {"creatinine": (0.5, "mg/dL"), "height": (100, "cm")}, 83),
        (
            "cockcroft_gault",
            {"creatinine": (1, "mg/dL"), "age": (40, ""), "weight": (72, "kg"),
             "sex": ("male", "")},
            100,
        ),
        ("anion_gap", {"sodium": (140, "mmol/L"), "chloride": (100, "mmol/L"),
                       "bicarbonate": (24, "mmol/L")}, 16),
        ("corrected_calcium", {"calcium": (2.0, "mmol/L"), "albumin": (20, "g/L")}, 2.4),
        ("corrected_sodium", {"sodium": (130, "mmol/L"), "glucose": (600, "mg/dL")}, 138),
        ("bmi", {"weight": (81, "kg"), "height": (1.8, "m")}, 25),
        ("bsa", {"weight": (60, "kg"), "height": (150, "cm")}, 1.58),
        ("paediatric_dose", {"weight": (20, "kg"), "per_kilogram": (15, "mg/kg")}, 300),
    ],
)  # fmt: skip
def test_formulas(key: str, inputs: dict[str, tuple[float | str, str]], expected: float) -> None:
    found = run(key, **{name: Given(*value) for name, value in inputs.items()})
    assert found.value == pytest.approx(expected, abs=0.01 if expected < 5 else 0.6)


def test_a_dose_is_never_above_the_adult_one() -> None:
    inputs = {"weight": Given(60, "kg"), "per_kilogram": Given(15, "mg/kg")}
    assert run("paediatric_dose", **inputs, most=Given(500, "mg")).value == 500


def test_meld_na_counts_sodium_and_keeps_its_bounds() -> None:
    inputs = {
        "creatinine": Given(1.9, "mg/dL"),
        "bilirubin": Given(4.2, "mg/dL"),
        "inr": Given(1.2),
    }
    low = run("meld_na", **inputs, sodium=Given(125, "mmol/L")).value
    high = run("meld_na", **inputs, sodium=Given(140, "mmol/L")).value
    assert low is not None
    assert high is not None
    assert 6 <= high < low <= 40


def test_pregnancy_is_counted_from_the_last_period() -> None:
    period = Given(date(2024, 8, 17))
    assert run("due_date", last_period=period).text == "2025-05-24"
    assert run("gestational_age", last_period=period, today=Given(date(2025, 5, 19))).text == (
        "39周+2天"
    )
    with pytest.raises(InputWrong):
        run("gestational_age", last_period=period, today=Given(date(2027, 5, 19)))


def test_what_is_missing_is_named_and_nothing_is_assumed() -> None:
    found = run("cockcroft_gault", creatinine=Given(84, "μmol/L"), age=Given(67), sex=Given("male"))
    assert found.value is None
    assert found.missing == ("体重",)


def test_a_score_that_lacks_items_gives_its_range() -> None:
    found = run("curb65", age=Given(70), urea=Given(9, "mmol/L"))
    assert (found.value, found.most) == (2, 5)
    assert set(found.missing) == {"意识障碍", "呼吸≥30次/分", "收缩压<90mmHg", "舒张压≤60mmHg"}
    assert "至少 2 分" in found.text
    assert found.reading == ""


def test_a_whole_score_is_read_and_a_group_counts_once() -> None:
    found = run(
        "curb65", age=Given(70), urea=Given(9, "mmol/L"), breath=Given(32, "次/分"),
        systolic=Given(80, "mmHg"), diastolic=Given(50, "mmHg"), confusion=Given(False),
    )  # fmt: skip
    assert (found.value, found.most, found.missing) == (4, 4, ())
    assert found.reading.startswith("高危")


def test_points_below_nothing_are_counted_in_what_is_certain() -> None:
    found = run("wells_dvt", cancer=Given(True))
    assert found.value == -1
    assert found.most == 9


@pytest.mark.parametrize(
    ("given_", "why"),
    [
        (Given(102, "mmol/L"), "超出"),
        (Given(102, "kg"), "换算"),
        (Given("高", "mg/dL"), "数值"),
        (Given(True, "mg/dL"), "数值"),
        (Given(float("inf"), "mg/dL"), "超出"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_a_reason(given_: Given, why: str) -> None:
    with pytest.raises(InputWrong, match=why):
        run("ckd_epi_2021", creatinine=given_, age=Given(50), sex=Given("male"))


def test_a_child_has_no_adult_formula() -> None:
    with pytest.raises(InputWrong, match="超出"):
        run("ckd_epi_2021", creatinine=Given(30, "μmol/L"), age=Given(6), sex=Given("male"))


def test_every_formula_takes_its_own_inputs_and_every_calculator_has_a_source() -> None:
    for one in calculators().values():
        assert one.source.strip()
        assert one.wordings
        if one.formula:
            code = resolve_name(one.formula).__code__
            assert set(code.co_varnames[: code.co_argcount]) == {i.key for i in one.inputs}
        else:
            assert all(i.points or i.bands for i in one.inputs)


@pytest.mark.parametrize("key", sorted(k for k, c in calculators().items() if c.is_score))
def test_bands_cover_every_number(key: str) -> None:
    for one in calculators()[key].inputs:
        if one.bands:
            last = one.bands[-1]
            assert (last.to, last.below) == (None, None)
            edges = [b.to if b.to is not None else b.below for b in one.bands[:-1]]
            assert edges == sorted(edges, key=lambda edge: edge or 0.0)


def test_a_wording_names_the_longest() -> None:
    assert named("qSOFA多少")[0].key == "qsofa"
    assert named("SOFA评分")[0].key == "sofa"
    assert named("肌酐清除率")[0].key == "cockcroft_gault"
    assert named("血钾多少") == []


@given(st.floats(min_value=1e-3, max_value=1e5))
def test_a_unit_and_back_is_the_same(value: float) -> None:
    there = convert(value, "μmol/L", "mg/dL", "肌酐")
    assert math.isclose(convert(there, "mg/dL", "μmol/L", "肌酐"), value, rel_tol=1e-9)


def test_pressures_and_counts_convert_and_strangers_do_not() -> None:
    assert convert(8, "kPa", "mmHg") == pytest.approx(60.0, abs=0.1)
    assert convert(120, "g/L", "g/dL") == pytest.approx(12)
    for have, want, analyte in (("mg/dL", "μmol/L", ""), ("", "mg/dL", "肌酐"), ("岁", "kg", "")):
        with pytest.raises(UnitMismatch):
            convert(1.0, have, want, analyte)
