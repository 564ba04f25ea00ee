"""The diagnosis is not to be read in the case."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from assistant.record.case import Case
from assistant.record.patient import Patient
from eval.clinical.differential.masking import BLANK, masked, masked_case
from knowledge.text.folding import fold


def test_every_occurrence_goes_and_nothing_else() -> None:
    text = "考虑SARS，不除外ＳＡＲＳ；肺炎支原体肺炎"
    assert masked(text, ["sars"]) == "考虑□□□□，不除外□□□□；肺炎支原体肺炎"
    assert masked(text, ["肺炎", "支原体肺炎"]) == "考虑SARS，不除外ＳＡＲＳ；" + BLANK * 7
    assert masked("痔核", ["痔"]) == "痔核"


@given(st.text("肺炎ＡaA咳，", max_size=30), st.lists(st.text("肺炎a咳", min_size=2, max_size=4)))
def test_no_name_is_left(text: str, names: list[str]) -> None:
    hidden = masked(text, [fold(name) for name in names])
    assert len(hidden) == len(text)
    assert not any(fold(name) in fold(hidden) for name in names)
    assert all(after in (before, BLANK) for before, after in zip(text, hidden, strict=True))


def test_every_field_of_a_case() -> None:
    case = Case(
        patient=Patient(id="p"),
        encounter_id="e",
        chief_complaint="肺炎复查",
        past_history="三年前肺炎",
        tests="胸片：肺炎",
    )
    hidden = masked_case(case, ["肺炎"])
    assert [note.text for note in hidden.notes()] == ["□□复查", "三年前□□", "胸片：□□"]
    assert case.chief_complaint == "肺炎复查"
