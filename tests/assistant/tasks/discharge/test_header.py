"""Identity and dates of a discharge record, from the data or else from the text."""

from __future__ import annotations

from discharge_stays import FREE_TEXT, free

from assistant.tasks.discharge.copied import header


def test_the_header_reads_the_text_where_the_data_has_nothing() -> None:
    found = header(free(FREE_TEXT))
    assert found.admission_diagnoses == ["肺炎"]
    assert (found.admitted_on, found.discharged_on) == ("2026年3月2日", "2026年3月9日")
    assert (found.sex, found.age, found.days_in_hospital) == ("女", "45岁", "7天")
    assert found.patient_name == "病历未记载"
    earlier = header(free("3年前外院住院，入院诊断：肺炎。现咳嗽。"))
    assert earlier.admission_diagnoses == ["病历未记载"]
