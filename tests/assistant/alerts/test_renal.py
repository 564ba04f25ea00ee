"""Renal function: published examples of the formulas."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.alerts.facts import Facts
from assistant.alerts.renal import bedside_schwartz, ckd_epi_2021, cockcroft_gault
from assistant.alerts.rule import Sample
from assistant.alerts.sample import encounter_of


def test_ckd_epi_2021() -> None:
    # 1.0 mg/dL at 50: 92 for a man, 69 for a woman (calculator of the NKF).
    assert ckd_epi_2021(88.4, 50, female=False) == pytest.approx(92, abs=1)
    assert ckd_epi_2021(88.4, 50, female=True) == pytest.approx(69, abs=1)
    assert ckd_epi_2021(353.6, 70, female=False) == pytest.approx(15, abs=1)


def test_cockcroft_gault() -> None:
    assert cockcroft_gault(88.4, 40, 72, female=False) == pytest.approx(100)
    assert cockcroft_gault(88.4, 40, 72, female=True) == pytest.approx(85)


def test_bedside_schwartz() -> None:
    assert bedside_schwartz(44.2, 100) == pytest.approx(82.6)


@given(st.floats(20, 1500), st.floats(18, 100), st.booleans())
def test_more_creatinine_is_less_function(creatinine: float, age: float, female: bool) -> None:
    value = ckd_epi_2021(creatinine, age, female=female)
    assert 0 < value < 250
    assert ckd_epi_2021(creatinine * 1.5, age, female=female) < value


def renal(**fields: object) -> tuple[float | None, float | None, bool]:
    found = Facts(encounter_of(Sample.model_validate(fields))).renal
    return found.egfr, found.clearance, found.assumed


def test_the_weight_is_read_in_the_notes() -> None:
    egfr, clearance, assumed = renal(results=["肌酐 88.4 umol/L"], note="体重72kg。", age=40)
    assert not assumed
    assert clearance == pytest.approx(100)
    assert egfr == pytest.approx(98, abs=2)


def test_units_and_what_is_missing() -> None:
    assert renal(results=["血肌酐 1.0 mg/dL"], age=50)[0] == pytest.approx(92, abs=1)
    assert renal(results=["肌酐 88.4 umol/L"], sex=None)[0] is None
    assert renal(results=["肌酐 88.4 umol/L"], age=None)[0] is None
    assert renal(results=["肌酐 88.4 umol/L"], age=8)[0] is None, "a child without a height"
    assert renal()[0] is None


def test_a_change_of_weight_is_no_weight() -> None:
    *_, assumed = renal(results=["肌酐 88.4 umol/L"], note="近1周体重增加5kg。", age=40)
    assert assumed


def test_the_newest_creatinine_counts() -> None:
    egfr, *_ = renal(results=["肌酐 400 umol/L", "肌酐 88.4 umol/L"], age=50)
    assert egfr == pytest.approx(92, abs=1)
