from __future__ import annotations

from typing import Any

import pytest

from assistant.tasks.structuring.chain import structuring_chain
from assistant.tasks.structuring.pipeline import Structurer
from assistant.tasks.structuring.request import NotesToStructure
from assistant.tasks.structuring.template import TemplateError
from knowledge.base import KnowledgeBase


def request(**more: Any) -> NotesToStructure:
    body = {
        "patient_id": "p1",
        "notes": [
            {"id": "a", "text": "既往糖尿病10年。", "written_at": "2024-03-05T08:00:00"},
            {"id": "b", "text": "右肺上叶见结节，大小约8mm。"},
        ],
    }
    return NotesToStructure.model_validate(body | more)


async def test_notes_a_table_and_the_patient(knowledge: KnowledgeBase) -> None:
    made = await structuring_chain(Structurer(knowledge)).ainvoke(request(template="chest-ct"))
    assert [note.note_id for note in made.notes] == ["a", "b"]
    assert made.table is not None
    assert made.table.rows[1].cells["size"].value == "8"
    assert [p.status for p in made.patient.problems] == ["past"]
    assert made.knowledge_version == knowledge.version
    assert made.model == "lexicon"
    assert "疾病：糖尿病" in made.plain_text()
    assert "草稿" in made.disclaimer


async def test_without_a_template_there_is_no_table(knowledge: KnowledgeBase) -> None:
    made = await structuring_chain(Structurer(knowledge)).ainvoke(request())
    assert made.table is None


async def test_an_unknown_template(knowledge: KnowledgeBase) -> None:
    with pytest.raises(TemplateError):
        await structuring_chain(Structurer(knowledge)).ainvoke(request(template="none"))


def test_the_hash_is_of_the_content() -> None:
    assert request().record_hash() == request().record_hash()
    assert request().record_hash() != request(patient_id="p2").record_hash()
