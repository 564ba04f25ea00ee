"""The discharge record: five sections, copied where the data has it, written where it must be.

Diagnoses, dates, identity, orders and discharge medication are copied and never pass through a
model.  The three narrative sections are written from the notes of the right time and checked
sentence by sentence.  A record longer than the context is written note group by note group.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.runnables import Runnable, RunnableGenerator

import prompts
from assistant.draft import NOT_RECORDED, Statement
from assistant.grounding.grounder import Grounder
from assistant.grounding.known_drugs import drug_names
from assistant.grounding.segments import Scope, Segment, segment_notes, split_sentences
from assistant.record.encounter import Encounter
from assistant.record.note import Note
from assistant.tasks.discharge.copied import copied_sections, not_recorded
from assistant.tasks.discharge.draft import SECTION_ZH, SectionDraft, SectionName
from assistant.tasks.discharge.gaps import gaps, is_somewhere
from assistant.tasks.discharge.header import admission_day
from assistant.tasks.discharge.outline import LEAST, Outline
from assistant.tasks.discharge.plan import PLANS, Plan, gather, outlined
from assistant.tasks.discharge.prompt import PROMPT, TASK
from assistant.tasks.discharge.written import SIGNED
from assistant.tasks.ending import Ending
from knowledge.base import KnowledgeBase
from serving.engine import Engine

ANSWER_TOKENS = 360


@dataclass(frozen=True)
class Delta:
    """Text of a section as it is being written; not yet checked."""

    section: SectionName
    text: str


def _whole_sentences(text: str) -> str:
    end = max((text.rfind(mark) for mark in "。；;\n！？"), default=-1)
    return text[: end + 1] if end >= 0 else text


def discharge_chain(
    knowledge: KnowledgeBase,
    engine: Engine | None,
    chat_model: BaseChatModel | None,
    only: Sequence[SectionName] | None = None,
) -> Runnable[Encounter, Delta | SectionDraft]:
    """The chain from an encounter to its sections; made to be streamed (``astream``).

    Raises (when streamed) what the engine raises: see `serving.engine.Engine.generate`.
    """

    async def write(encounters: AsyncIterator[Encounter]) -> AsyncIterator[Delta | SectionDraft]:
        async for encounter in encounters:
            writer = await asyncio.to_thread(
                DischargeWriter, encounter, knowledge, engine, chat_model
            )
            async with contextlib.aclosing(writer.write(only)) as items:
                async for item in items:
                    yield item

    return RunnableGenerator(write, name="discharge_record")


@dataclass
class DischargeWriter:
    """Writes the sections of one encounter's discharge record.

    ``engine`` and ``chat_model`` are None where no model can be had: the copied sections still come
    and the narrative ones say what is missing.
    """

    encounter: Encounter
    knowledge: KnowledgeBase
    engine: Engine | None
    chat_model: BaseChatModel | None
    notes: list[Note] = field(init=False)
    segments: list[Segment] = field(init=False)
    grounder: Grounder = field(init=False)

    def __post_init__(self) -> None:
        self.notes = self.encounter.all_notes()
        self.segments = segment_notes(self.notes, admission_day(self.encounter, self.notes))
        self.grounder = Grounder(
            self.segments,
            findings_of=self.knowledge.extractor.extract,
            drugs_of=drug_names(m.name for m in self.encounter.medications),
            patient_names=[self.encounter.patient.name],
            patient_sex=self.encounter.patient.sex,
        )

    @cached_property
    def copied(self) -> dict[SectionName, list[Statement]]:
        """The sections that are copied and need no model."""
        return copied_sections(self.encounter, self.notes, self.segments)

    @cached_property
    def outline(self) -> Outline:
        """The events of the stay."""
        return Outline(self.encounter, self.notes, self.segments)

    async def write(
        self, only: Sequence[SectionName] | None = None
    ) -> AsyncGenerator[Delta | SectionDraft]:
        """The sections in their order; text first as it comes, then the checked section."""
        copied = self.copied
        for section in SECTION_ZH:
            if only is not None and section not in only:
                continue
            if section in copied:
                draft = SectionDraft(
                    section=section,
                    title=SECTION_ZH[section],
                    model="",
                    statements=copied[section],
                )
                self._name_gaps(draft)
                yield Delta(section, "\n".join(s.text for s in draft.statements))
                yield draft
                continue
            async for item in self._narrate(section, PLANS[section]):
                yield item

    async def _narrate(
        self, section: SectionName, plan: Plan
    ) -> AsyncGenerator[Delta | SectionDraft]:
        started = time.perf_counter()
        material = gather(section, self.encounter, self.notes, self.segments)
        groups = material.groups
        by_events = False
        if section == "hospital_course" and groups:
            # The model words what happened; what did is not for it to choose.
            lines = await asyncio.to_thread(self.outline.lines, section)
            by_events = len(lines) >= LEAST
            groups = outlined(lines) if by_events else groups
        draft = SectionDraft(section=section, title=SECTION_ZH[section], model="", statements=[])
        if material.earlier:
            draft.warnings.append(
                f"有 {material.earlier} 处写的是入院前或以往的事，未用于本段；如属本次住院请补充。"
            )
        if material.rows:
            draft.warnings.append(
                f"另有 {material.rows} 行检查、检验或用药未交给模型，请核对是否需要补写。"
            )
        if not groups:
            if is_somewhere(section, self.notes):
                draft.warnings.append("病历中有相关记载，但无法归入本段，请核对原文后填写。")
            else:
                draft.statements = [not_recorded(f"{section}-1", "")]
                draft.missing = [SECTION_ZH[section]]
                yield Delta(section, NOT_RECORDED)
            yield draft
            return
        if self.engine is None or self.chat_model is None:
            draft.warnings = ["没有可用的模型，本段未生成。请在“系统”页查看如何添加模型。"]
            yield draft
            return
        draft.model = self.engine.card.name
        draft.prompt_version = prompts.template(TASK, PROMPT).version
        text = ""
        for number, group in enumerate(groups):
            if number:
                text += "\n"
                yield Delta(section, "\n")
            written, ending = "", Ending()
            async for piece in self._ask(section, plan, group, len(groups)):
                # What ends the text may itself bring the last characters of it.
                ending.see(piece)
                written += piece.text
                if piece.text:
                    yield Delta(section, piece.text)
            if ending.cut:
                written = _whole_sentences(written)
            text += "" if ending.filtered else written
            draft.warnings += ending.warnings("模型的文字到长度上限而中断，不完整的末句已略去。")
        draft.statements = await asyncio.to_thread(self._check, section, material.scopes, text)
        if by_events:
            _leave_out(draft)
        added, draft.offered = await asyncio.to_thread(
            self.outline.complete, section, draft.statements
        )
        if added:
            draft.statements += added
            draft.warnings.append(
                f"模型漏写了病历中的要点，已按病历原文补入 {len(added)} 条，请核对并调整顺序。"
            )
        self._name_gaps(draft)
        if len(groups) > 1:
            draft.warnings.append(f"病历较长，本段分 {len(groups)} 部分生成，请通读合并。")
        draft.seconds = time.perf_counter() - started
        yield draft

    def _name_gaps(self, draft: SectionDraft) -> None:
        draft.missing = gaps(draft.section, self.encounter, self.notes)
        draft.statements += [
            not_recorded(f"{draft.section}-missing{number}", item)
            for number, item in enumerate(draft.missing, 1)
        ]

    async def _ask(
        self, section: SectionName, plan: Plan, group: list[Note], groups: int
    ) -> AsyncGenerator[AIMessage]:
        assert self.chat_model is not None
        system, user = prompts.template(TASK, PROMPT).render(
            title=SECTION_ZH[section],
            guidance=plan.guidance,
            limit=max(80, plan.limit // groups),
            notes=group,
        )
        tokens = max(120, ANSWER_TOKENS // min(groups, 3))
        model = self.chat_model.bind(max_tokens=tokens, prompt_lookup=True)
        async for chunk in model.astream([SystemMessage(system), HumanMessage(user)]):
            yield chunk

    def _check(self, section: SectionName, scopes: frozenset[Scope], text: str) -> list[Statement]:
        statements: list[Statement] = []
        seen: set[str] = set()
        for start, end in split_sentences(text):
            sentence = _LABEL.sub("", text[start:end]).strip()
            if len(sentence) < 2 or sentence in seen or SIGNED.match(sentence):
                continue
            seen.add(sentence)
            ended = sentence if sentence[-1] in "？?！!" else sentence + "。"
            statements.append(
                self.grounder.ground(f"{section}-{len(statements) + 1}", ended, scopes=scopes)
            )
        return statements


_SHOWN = 40


def _leave_out(draft: SectionDraft) -> None:
    """Take out what nothing supports: the events tell the section, and a doctor has nothing to gain
    from checking a sentence that the model made up."""
    draft.left_out = [s for s in draft.statements if s.status == "unsupported"]
    if not draft.left_out:
        return
    draft.statements = [s for s in draft.statements if s.status != "unsupported"]
    said = "；".join(f"“{s.text[:_SHOWN]}{'…' * (len(s.text) > _SHOWN)}”" for s in draft.left_out)
    draft.warnings.append(f"模型写出而病历不支持的 {len(draft.left_out)} 句未采用：{said}")


_LABEL = re.compile(
    r"^(?:〔[^〕]*〕|【[^】]*】|[-*•\d]+[.、)]\s*|出院记录[:：]|"
    + "|".join(f"{t}[:：]" for t in SECTION_ZH.values())
    + r")\s*"
)
