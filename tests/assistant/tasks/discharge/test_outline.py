"""A discharge record holds the events of the stay, whatever the model writes."""

from __future__ import annotations

from discharge_stays import assert_quoted, sample, stay, write

from assistant.review.fill_in import Resolution
from assistant.tasks.discharge.outline import Outline
from assistant.tasks.discharge.task import Discharge
from knowledge.base import KnowledgeBase

NOTES = ("progress", "并发肺部感染，予换药。输注悬浮红细胞2U。转入ICU监护。半流质饮食。")
TOLD = "期间发生肺部感染，换药。输红细胞2U。"


async def test_what_the_model_leaves_out_is_added_from_the_record(knowledge: KnowledgeBase) -> None:
    encounter = sample("stemi-pci")
    course = (await write(encounter, knowledge, lambda _: "患者无胸痛。"))["hospital_course"]
    added = [s for s in course.statements if s.origin == "record"]
    text = "".join(s.text for s in added)
    for fact in ("左前降支支架植入术", "28.6ng/mL", "停用苯磺酸氨氯地平", "转出CCU"):
        assert fact in text
    assert_quoted(encounter, added)
    assert all(s.status == "supported" and s.evidence for s in added)
    assert any("补入" in w for w in course.warnings)


async def test_what_the_model_tells_is_not_added_again(knowledge: KnowledgeBase) -> None:
    course = (await write(stay(NOTES), knowledge, lambda _: TOLD))["hospital_course"]
    added = "".join(s.text for s in course.statements if s.origin == "record")
    assert "ICU" in added
    assert "肺部感染" not in added
    assert "红细胞" not in added


async def test_the_model_is_given_the_events_to_word(knowledge: KnowledgeBase) -> None:
    prompts: list[str] = []

    def reply(prompt: str) -> str:
        prompts.append(prompt)
        return "患者无胸痛。"

    await write(sample("stemi-pci"), knowledge, reply)
    asked = next(p for p in prompts if "诊疗经过" in p)
    assert "要点" in asked
    assert asked.index("支架植入术") < asked.index("转出CCU")


async def test_an_unsupported_sentence_tells_nothing(knowledge: KnowledgeBase) -> None:
    false = "2019年转入ICU监护，输注悬浮红细胞8U。"
    course = (await write(stay(NOTES), knowledge, lambda _: false))["hospital_course"]
    assert any("ICU" in s.text for s in course.statements if s.origin == "record")


async def test_an_offered_sentence_stands_once_it_is_inserted(knowledge: KnowledgeBase) -> None:
    encounter = stay(NOTES)
    course = (await write(encounter, knowledge, lambda _: TOLD))["hospital_course"]
    assert [s.text for s in course.offered] == ["半流质饮食。"]
    without = Discharge().fill_in(course, {}, lambda: encounter)
    assert "半流质" not in without.text
    chosen = {course.offered[0].id: Resolution("confirmed")}
    assert "半流质饮食。" in Discharge().fill_in(course, chosen, lambda: encounter).text


async def test_what_a_doctor_deletes_is_named_at_fill_in(knowledge: KnowledgeBase) -> None:
    encounter = stay(NOTES)
    course = (await write(encounter, knowledge, lambda _: TOLD))["hospital_course"]
    icu = next(s for s in course.statements if "ICU" in s.text)
    assert Discharge().fill_in(course, {}, lambda: encounter).omissions == []
    filled = Discharge().fill_in(course, {icu.id: Resolution("deleted")}, lambda: encounter)
    assert filled.omissions == ["转入ICU监护。"]
    edited = {icu.id: Resolution("edited", "其间转入ICU治疗。")}
    assert Discharge().fill_in(course, edited, lambda: encounter).omissions == []


def test_each_event_belongs_to_one_section() -> None:
    encounter = sample("stemi-pci")
    outline = Outline(encounter, encounter.all_notes(), [])
    kinds = {e.kind for e in outline.of("discharge_orders")}
    assert kinds == {"discharge_drug"}
