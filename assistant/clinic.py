"""What is done for a request: the chains run, and each draft is kept as soon as it is ready.

A request that runs again after a kill keeps the drafts that it already has.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator
from typing import Any

from assistant.approval.status import Standing
from assistant.draft import SECTION_ZH, Answer, DifferentialDraft, SectionDraft, SectionName
from assistant.engines import Engines
from assistant.lazy import Once
from assistant.record.record import Case, Encounter
from assistant.review.fill_in import Draft
from assistant.settings import PanelMember, Settings
from assistant.store import Store
from assistant.store.models import DraftRow, RequestRow
from assistant.tasks.chat import chain as chat
from assistant.tasks.differential.case_context import CaseContext, examine
from assistant.tasks.differential.chain import Member, differential_chain
from assistant.tasks.differential.ranking_member import critical_entries, rank_by_knowledge
from assistant.tasks.discharge.chain import Delta, discharge_chain
from assistant.tasks.discharge.copied import header
from assistant.tasks.structuring.chain import NotesToStructure, structuring_chain
from assistant.tasks.structuring.opening import open_findings, open_recognizer, open_structurer
from assistant.tasks.structuring.pipeline import Structurer
from knowledge.base import KnowledgeBase
from serving.chat_model import EngineChatModel
from serving.engine import Engine, EngineBusy, EngineError, EngineUnavailable

logger = logging.getLogger("bedside.assistant.clinic")

Step = tuple[str, dict[str, Any]]
"""(event name, JSON data) as `assistant.work.jobs` publishes them."""


class KnowledgeUnavailable(EngineError):
    """The knowledge base is not built."""


class Clinic:
    """Runs the chains over the knowledge base, the engines and the store."""

    def __init__(
        self, settings: Settings, store: Store, engines: Engines, knowledge: KnowledgeBase | None
    ) -> None:
        self.settings = settings
        self.engines = engines
        self._store = store
        self._knowledge = knowledge
        self._recognizer = Once(lambda: open_recognizer(settings.home))
        self._structurer = Once(
            lambda: open_structurer(knowledge, settings.home, self._recognizer())
        )
        self.standing = Standing(settings, store, engines)

    @property
    def knowledge(self) -> KnowledgeBase:
        """The knowledge base.  Raises `KnowledgeUnavailable` while there is none."""
        if self._knowledge is None:
            raise KnowledgeUnavailable(
                "知识库尚未建立，请运行 bedside kb build。"
                " (No knowledge base yet: run `bedside kb build`.)"
            )
        return self._knowledge

    @property
    def structurer(self) -> Structurer:
        """What structures notes; made once, which takes seconds.  It works without a base, too."""
        return self._structurer()

    def examine(self, case: Case) -> CaseContext:
        """What every member of the panel starts from.

        Raises:
            KnowledgeUnavailable: there is no knowledge base.
        """
        reader = open_findings(self.knowledge, self._recognizer())
        return examine(case, self.knowledge, reader)

    @property
    def has_knowledge(self) -> bool:
        """Whether a knowledge base is open."""
        return self._knowledge is not None

    async def perform(self, row: RequestRow) -> AsyncGenerator[Step]:
        """The steps of one accepted request; raises what the engines raise."""
        kept = await asyncio.to_thread(self._store.drafts.list, row.context, row.id)
        work = {
            "differential_diagnosis": self._differential,
            "discharge_record": self._discharge,
            "chat": self._chat,
            "structured_notes": self._structure,
        }[row.kind]
        async with contextlib.aclosing(work(row, list(kept))) as steps:
            async for step in steps:
                yield step

    async def _differential(self, row: RequestRow, kept: list[DraftRow]) -> AsyncGenerator[Step]:
        case = Case.model_validate(row.payload)
        context = await asyncio.to_thread(self.examine, case)
        wanted = row.options.get("members")
        done = {draft.member: draft for draft in kept}
        baseline = await asyncio.to_thread(rank_by_knowledge, context)
        yield await self._keep(row, baseline, done.get(baseline.member))
        members = [
            m
            for m in self.settings.panel
            if (not wanted or m.name in wanted) and m.name not in done
        ]
        for draft in kept:
            if draft.member != baseline.member:
                yield _draft_step(draft)
        tasks = [asyncio.create_task(self._ask(m, context)) for m in members]
        try:
            for finished in asyncio.as_completed(tasks):
                yield await self._keep(row, await finished, None)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask(self, seat: PanelMember, context: CaseContext) -> DifferentialDraft:
        """One member's draft; a member that cannot answer says so and holds nobody up."""
        try:
            engine, chat_model = await self.engines.ready(seat.engine)
            member = Member(
                seat.name,
                engine,
                chat_model.model_copy(update={"temperature": seat.temperature}),
                seat.prompt,
            )
            while True:
                try:
                    return await differential_chain(member).ainvoke(context)
                except EngineBusy as busy:
                    await asyncio.sleep(busy.retry_after)
        except EngineError as error:
            reason = str(error)
        except Exception as error:
            logger.error("a panel member failed: %s", type(error).__name__)
            reason = (
                "该成员处理时发生内部错误，没有给出意见，请重试；若再次发生，请告诉管理员。"
                "(This member failed with an internal error.)"
            )
        return DifferentialDraft(
            member=seat.name,
            model=self.engines.describe(seat.engine),
            critical=await asyncio.to_thread(critical_entries, context),
            findings=context.findings,
            missing=context.case.missing_fields(),
            warnings=[reason],
        )

    async def _discharge(self, row: RequestRow, kept: list[DraftRow]) -> AsyncGenerator[Step]:
        encounter = Encounter.model_validate(row.payload)
        copied = await asyncio.to_thread(header, encounter)
        yield "header", copied.model_dump(mode="json")
        wanted: list[SectionName] = [
            s for s in SECTION_ZH if s in (row.options.get("sections") or SECTION_ZH)
        ]
        for draft in kept:
            yield _draft_step(draft)
        done = {draft.section for draft in kept}
        remaining = [s for s in wanted if s not in done]
        chain = discharge_chain(self.knowledge, *await self._default_model(), remaining)
        async for item in chain.astream(encounter):
            if isinstance(item, Delta):
                yield "delta", {"section": item.section, "text": item.text}
            else:
                yield await self._keep(row, item, None)

    async def _default_model(self) -> tuple[Engine | None, EngineChatModel | None]:
        try:
            return await self.engines.ready(self.settings.default_engine)
        except EngineUnavailable:
            return None, None

    async def _chat(self, row: RequestRow, kept: list[DraftRow]) -> AsyncGenerator[Step]:
        if kept:
            yield _draft_step(kept[0])
            return
        chain = chat.chat_chain(self.knowledge, *await self._default_model())
        async for piece in chain.astream(row.payload["question"]):
            if isinstance(piece, chat.Found):
                yield "passages", {"passages": [_passage(p) for p in piece.passages]}
            elif isinstance(piece, Answer):
                yield await self._keep(row, piece, None)
            else:
                yield "delta", {"text": piece.text}

    async def _structure(self, row: RequestRow, kept: list[DraftRow]) -> AsyncGenerator[Step]:
        if kept:
            yield _draft_step(kept[0])
            return
        request = NotesToStructure.model_validate(row.payload)
        structurer = await asyncio.to_thread(lambda: self.structurer)
        draft = await structuring_chain(structurer).ainvoke(request)
        added = await asyncio.to_thread(
            self._store.drafts.add,
            row.context,
            row.id,
            "structured_notes",
            draft.model,
            "",
            {"text": draft.plain_text(), "draft": draft.model_dump(mode="json")},
            record_hash=row.record_hash,
            model=draft.model,
            prompt_version=draft.prompt_version,
            knowledge_version=draft.knowledge_version,
        )
        yield _draft_step(added)

    async def _keep(self, row: RequestRow, draft: Draft, already: DraftRow | None) -> Step:
        if already is not None:
            return _draft_step(already)
        await self._mark(draft)
        if isinstance(draft, DifferentialDraft):
            member, section = draft.member, ""
        else:
            section = draft.section if isinstance(draft, SectionDraft) else ""
            member = draft.model or "copied"
        kept = await asyncio.to_thread(
            self._store.drafts.add,
            row.context,
            row.id,
            row.kind,  # type: ignore[arg-type]
            member,
            section,
            {"text": plain_text(draft), "draft": draft.model_dump(mode="json")},
            record_hash=row.record_hash,
            model=draft.model,
            prompt_version=draft.prompt_version,
            knowledge_version=self.knowledge.version,
        )
        return _draft_step(kept)

    async def _mark(self, draft: Draft) -> None:
        """Say on the draft whether what wrote it was approved."""
        if not draft.model:
            return
        engine = self.settings.default_engine
        if isinstance(draft, DifferentialDraft):
            engine = next(m.engine for m in self.settings.panel if m.name == draft.member)
        await self.standing.refresh()
        draft.approved = self.standing.approved(engine, draft.prompt_version)
        draft.demo_only = not draft.approved


def _draft_step(draft: DraftRow) -> Step:
    return "draft", {"id": draft.id, **draft.content["draft"]}


def _passage(passage: Any) -> dict[str, Any]:
    return {
        "id": passage.id,
        "title": passage.title,
        "text": passage.text,
        "source": passage.source,
    }


def plain_text(draft: Draft) -> str:
    """The draft's statements as lines: what edit distance and feedback pairs are made from."""
    if isinstance(draft, DifferentialDraft):
        return "\n".join(
            f"{entry.rank}. {entry.name}：" + "；".join(s.text for s in entry.statements()[1:])
            for entry in draft.diagnoses
        )
    return "\n".join(s.text for s in draft.statements)
