from __future__ import annotations

import pytest

from assistant.store import Context, InvalidArgument


def test_an_actor_is_required() -> None:
    with pytest.raises(InvalidArgument, match="actor_id"):
        Context("", "doctor", "patient-1")


def test_an_encounter_needs_its_patient() -> None:
    with pytest.raises(InvalidArgument, match="encounter_id"):
        Context("doctor-1", "doctor", "", "encounter-1")


@pytest.mark.parametrize("value", ["a\x00b", "line\nbreak", "\ud800", "x" * 129])
def test_ids_that_cannot_be_kept_are_refused_without_repeating_them(value: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        Context("doctor-1", "doctor", value)
    assert value not in str(caught.value)
    assert "patient_id" in str(caught.value)


def test_chinese_ids_are_fine() -> None:
    assert Context("张医生", "医生", "住院号-1").patient_id == "住院号-1"
