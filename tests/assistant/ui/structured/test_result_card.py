"""What stands above a result."""

from __future__ import annotations

from structured_sample import ATTACK, entity, note

from assistant.store import Context
from assistant.tasks.structuring.draft import StructuredNotes
from assistant.tasks.structuring.features import FeatureTable
from assistant.tasks.structuring.patient import patient_view
from assistant.tasks.structuring.span import EntityType
from assistant.tasks.structuring.ui.result_card import result_html
from assistant.tasks.structuring.ui.state import NotesWork
from assistant.ui.session import Shown
from assistant.ui.strings import STRINGS, Text

ZH, EN = Text("zh"), Text("en")


def work(text: str = "发热", *, found: bool = True, **more: object) -> NotesWork:
    notes = [note(text, [entity(text, text, EntityType.SYMPTOM)] if found else [])]
    values = {"notes": notes, "patient": patient_view("pat-1", notes), "model": "lexicon", **more}
    return NotesWork(
        context=Context("dr", "doctor", "pat-1"),
        request_id="r-1",
        state="finished",
        shown={"": Shown("d-1", StructuredNotes.model_validate(values))},
    )


def test_it_is_a_draft_and_says_what_made_it() -> None:
    shown = result_html(work(), ZH)
    assert "草稿" in shown
    assert STRINGS["disclaimer"][0] in shown
    assert "1 份病历 · 1 个实体 · 0 条关系" in shown
    assert "词典与规则（未安装模型）" in shown
    model = result_html(work(model="clinical-ner 1.2", knowledge_version="kb-7"), EN)
    assert "Entities found by：clinical-ner 1.2" in model
    assert "knowledge base kb-7" in model
    assert STRINGS["disclaimer"][1] in model


def test_exports_name_the_result_and_keep_the_patient_out_of_addresses() -> None:
    shown = result_html(work(), ZH)
    for form in ("csv", "json", "fhir"):
        assert f'data-from="pages/structured/r-1/{form}"' in shown
    assert shown.count("pages/") == 3
    assert 'data-patient="pat-1"' in shown
    table = FeatureTable(template="chest-ct", columns=[], titles={})
    assert "pages/structured/r-1/table" in result_html(work(table=table), ZH)


def test_nothing_found_is_said() -> None:
    assert "没有识别到实体" in result_html(work(found=False), ZH)
    assert "没有识别到实体" not in result_html(work(), ZH)
    assert result_html(NotesWork(), ZH) == ""


def test_warnings_are_shown_once_and_escaped() -> None:
    shown = result_html(work(warnings=[ATTACK, ATTACK]), ZH)
    assert shown.count("window.broken=1") == 1
    assert "<script" not in shown
