"""The form as a request."""

from __future__ import annotations

from datetime import date

import pytest

from assistant.tasks.structuring.note import NoteText
from assistant.tasks.structuring.ui.form import read_request, template_choices
from assistant.tasks.structuring.ui.upload import Upload
from assistant.ui.case_form import FormError, is_id
from assistant.ui.strings import Text

ZH = Text("zh")


def upload(*texts: str, day: date | None = None) -> Upload:
    return Upload(
        "a.jsonl",
        [NoteText(id=f"a.jsonl#{n}", text=t, admitted_on=day) for n, t in enumerate(texts)],
    )


def test_the_pasted_note_comes_first_and_files_follow() -> None:
    request = read_request("发热", [upload("咳嗽", "头痛")], "", "", "chest-ct", ZH)
    assert [(n.id, n.title, n.text) for n in request.notes] == [
        ("n1", "粘贴的病历", "发热"),
        ("n2", "a.jsonl#0", "咳嗽"),
        ("n3", "a.jsonl#1", "头痛"),
    ]
    assert request.template == "chest-ct"
    assert is_id(request.patient_id or "")


def test_a_patient_without_an_id_is_nobody_elses() -> None:
    first, second = (read_request("发热", [], "", "", "", ZH).patient_id for _ in range(2))
    assert first != second
    assert read_request("发热", [], " pat-1 ", "", "", ZH).patient_id == "pat-1"


def test_the_day_of_admission_is_the_forms_else_the_files() -> None:
    files = [upload("咳嗽", day=date(2024, 3, 1))]
    given = read_request("", files, "", "2024-03-05", "", ZH).admitted_at
    assert given is not None
    assert given.date() == date(2024, 3, 5)
    found = read_request("", files, "", "", "", ZH).admitted_at
    assert found is not None
    assert found.date() == date(2024, 3, 1)


@pytest.mark.parametrize(
    ("text", "patient", "admitted", "said"),
    [
        (" \n", "", "", "请粘贴一份病历"),
        ("发热", "张 三", "", "编号只能用"),
        ("发热", "", "2024-13-05", "2024-03-05"),
        ("发热", "", "三月五日", "2024-03-05"),
        ("x" * 1_200_000, "", "", "病历不符合要求"),
    ],
)
def test_what_is_wrong_is_said(text: str, patient: str, admitted: str, said: str) -> None:
    with pytest.raises(FormError, match=said):
        read_request(text, [], patient, admitted, "", ZH)


def test_too_many_notes_are_refused() -> None:
    with pytest.raises(FormError, match="500"):
        read_request("", [upload(*["发热"] * 501)], "", "", "", ZH)


def test_the_shipped_templates_can_be_chosen() -> None:
    choices = {name: title for title, name in template_choices("不用模板")}
    assert choices[""] == "不用模板"
    assert {"chest-ct", "pathology", "laboratory"} <= choices.keys()
