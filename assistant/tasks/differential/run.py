"""The panel: the knowledge ranking, and the members as they answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator

from assistant.record.case import Case
from assistant.settings import KNOWLEDGE_MEMBER, PanelMember
from assistant.tasks.differential.case_context import CaseContext, examine
from assistant.tasks.differential.chain import Member, differential_chain
from assistant.tasks.differential.draft import DifferentialDraft
from assistant.tasks.differential.order import EVALUATION, in_order, measured_order
from assistant.tasks.differential.ranking_member import critical_entries, rank_by_knowledge
from assistant.tasks.structuring.opening import open_findings
from assistant.tasks.structuring.run import recognizer
from assistant.work.patience import Patience
from assistant.work.resources import Resources
from assistant.work.task import Run
from serving.engine import EngineBusy, EngineError, EngineLost

logger = logging.getLogger("bedside.assistant.differential")


def case_context(case: Case, resources: Resources) -> CaseContext:
    """What every member of the panel starts from.  Raises `KnowledgeUnavailable`."""
    base = resources.knowledge
    return examine(case, base, open_findings(base, recognizer(resources)))


async def ranking(case: Case, resources: Resources) -> DifferentialDraft:
    """The member that needs no model."""
    context = await asyncio.to_thread(case_context, case, resources)
    return await asyncio.to_thread(rank_by_knowledge, context)


async def answers(case: Case, run: Run) -> AsyncGenerator[DifferentialDraft]:
    """The drafts that are not kept yet, each as soon as it is ready."""
    resources = run.resources
    wanted = run.options.get("members")
    done = {draft.member for draft in run.kept if isinstance(draft, DifferentialDraft)}
    context = await asyncio.to_thread(case_context, case, resources)
    if KNOWLEDGE_MEMBER not in done:
        yield await asyncio.to_thread(rank_by_knowledge, context)
    seats = [
        seat
        for seat in resources.settings.panel
        if (not wanted or seat.name in wanted) and seat.name not in done
    ]
    tasks = [asyncio.create_task(_ask(seat, context, resources)) for seat in seats]
    try:
        for finished in asyncio.as_completed(tasks):
            yield await finished
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _ask(seat: PanelMember, context: CaseContext, resources: Resources) -> DifferentialDraft:
    """One member's draft; a member that cannot answer says so and holds nobody up."""
    try:
        engine, chat_model = await resources.engines.ready(seat.engine)
        member = Member(
            seat.name,
            engine,
            chat_model.model_copy(update={"temperature": seat.temperature}),
            seat.prompt,
        )
        patience = Patience()
        scores = resources.engines.slots[seat.engine].scores
        while True:
            try:
                draft = await differential_chain(member).ainvoke(context)
                return in_order(draft, context, measured_order(scores.get(EVALUATION, {})))
            except (EngineBusy, EngineLost) as error:
                await patience.after(error)
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
        model=resources.engines.describe(seat.engine),
        critical=await asyncio.to_thread(critical_entries, context),
        findings=context.findings,
        missing=context.case.missing_fields(),
        warnings=[reason],
    )
