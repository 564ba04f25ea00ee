"""Stays for the tests of the discharge record, and how one is written with a known answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from assistant.draft import Statement
from assistant.record.encounter import Encounter
from assistant.tasks.discharge.chain import DischargeWriter
from assistant.tasks.discharge.draft import SectionDraft, SectionName
from knowledge.base import KnowledgeBase
from serving.chat_model import EngineChatModel
from serving.engines.echo import EchoEngine

SAMPLES = Path(__file__).parent.parent / "assistant" / "samples" / "encounters"
FREE_TEXT = (
    "患者，女，45岁，因“咳嗽3天”于2026年3月2日入院。入院诊断：肺炎。入院查体：体温39.0℃。"
    "否认药物过敏史。予头孢曲松静滴。出院时体温36.5℃，无咳嗽。2026年3月9日出院。出院诊断：社区获得性肺炎。"
    "出院医嘱：低脂饮食，1个月后门诊复查。出院带药：阿莫西林胶囊0.5g每日3次。"
)


def sample(name: str) -> Encounter:
    return Encounter.model_validate_json((SAMPLES / f"{name}.json").read_bytes())


async def write(
    encounter: Encounter, knowledge: KnowledgeBase, reply: Callable[[str], str] | None
) -> dict[SectionName, SectionDraft]:
    engine = EchoEngine(reply, context_length=32_768)
    writer = DischargeWriter(encounter, knowledge, engine, EngineChatModel(engine=engine))
    return {i.section: i async for i in writer.write() if isinstance(i, SectionDraft)}


def free(text: str) -> Encounter:
    return Encounter.from_text(text, patient_id="p", encounter_id="e")


def stay(*notes: tuple[str, str], **rows: Any) -> Encounter:
    written = [{"id": f"n{n}", "kind": kind, "text": text} for n, (kind, text) in enumerate(notes)]
    return Encounter.model_validate(
        {
            "id": "e",
            "patient": {"id": "p"},
            "admitted_at": "2026-03-02T09:00:00",
            "notes": written,
            **rows,
        }
    )


def texts(draft: SectionDraft) -> list[str]:
    return [s.text for s in draft.statements]


def assert_quoted(encounter: Encounter, statements: list[Statement]) -> None:
    for statement in statements:
        for evidence in statement.evidence:
            assert evidence.span is not None
            note = encounter.note(evidence.span.note_id)
            assert note is not None
            quoted = note.text[evidence.span.start : evidence.span.end]
            assert quoted == evidence.quote
