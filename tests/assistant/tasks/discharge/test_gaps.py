"""What a discharge record says of what the record does not tell."""

from __future__ import annotations

from discharge_stays import stay, texts, write

from knowledge.base import KnowledgeBase


async def test_what_cannot_be_placed_is_not_called_unrecorded(knowledge: KnowledgeBase) -> None:
    encounter = stay(("admission", "主诉：咳嗽3天。入院前口服阿莫西林治疗。"))
    course = (await write(encounter, knowledge, lambda _: "。"))["hospital_course"]
    assert texts(course) == []
    assert any("请核对原文" in w for w in course.warnings)
