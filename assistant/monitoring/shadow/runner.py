"""Chooses finished requests for the candidates, and lets those answer while nothing else waits."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from assistant.draft import Draft
from assistant.monitoring.settings import ShadowCandidate
from assistant.monitoring.shadow import candidate as candidates
from assistant.monitoring.shadow.differences import differences, model_drafts
from assistant.store import RequestRow
from assistant.store.shadow_answers import ShadowAnswer
from assistant.work.task import Run
from serving.engine import EngineError

if TYPE_CHECKING:
    from assistant.api.context import Services

logger = logging.getLogger("bedside.assistant.shadow")

LOOK_SECONDS = 5.0
"""How often it looks whether nothing else is to be done."""

YIELD_SECONDS = 0.5
"""How soon a candidate gives way to somebody who waits."""

BATCH = 50
LOOKS_BACK = timedelta(days=1)
_PARTS = 10_000


class Shadow:
    """One for a process."""

    def __init__(self, parts: Services) -> None:
        self._parts = parts
        self._known: dict[str, tuple[dict[str, Any], str]] = {}
        self._alone = asyncio.Lock()

    @property
    def settings(self) -> list[ShadowCandidate]:
        """The candidates."""
        return self._parts.settings.shadow.candidates

    async def run(self) -> None:
        """Work for ever; no error ends it.  Without candidates there is nothing to do."""
        while self.settings:
            try:
                await self.choose()
                while await self.answer_one():
                    pass
            except Exception as error:
                logger.error("no candidate answered: %s", type(error).__name__)
            await asyncio.sleep(LOOK_SECONDS)

    async def choose(self) -> int:
        """Put the sampled share of what has finished of late in the queue; gives how many.

        Chosen by a keyed hash of the request, so the same ones by every process and for every
        candidate of a task.
        """
        async with self._alone:
            return await self._choose()

    async def _choose(self) -> int:
        store, limits = self._parts.store, self._parts.settings.shadow
        await asyncio.to_thread(
            store.shadow.forget_waiting, timedelta(hours=limits.keep_waiting_hours)
        )
        room = limits.most_waiting - await asyncio.to_thread(store.shadow.count_waiting)
        put = 0
        for chosen in self.settings:
            known, digest = await self._identity(chosen)
            since = store.database.clock() - LOOKS_BACK
            found = await asyncio.to_thread(
                store.shadow.unseen, chosen.task, chosen.engine, since, _PARTS
            )
            for request_id in [one for one in found if self._sampled(one, chosen.share)][:BATCH]:
                if put >= room:
                    return put
                model = self._parts.engines.describe(chosen.engine)
                await asyncio.to_thread(
                    store.shadow.put, request_id, chosen.task, chosen.engine, model, digest, known
                )
                put += 1
        return put

    async def answer_one(self) -> bool:
        """Let a candidate answer the oldest that waits; False where none does or others work.

        It gives way as soon as somebody waits or is worked for, and is tried again later.
        """
        async with self._alone:
            return await self._answer_one()

    async def _answer_one(self) -> bool:
        store = self._parts.store
        if await self._others_work():
            return False
        found = await asyncio.to_thread(store.shadow.waiting)
        if found is None:
            return False
        answer, request = found
        work = asyncio.create_task(self._made(answer, request))
        try:
            while not work.done():
                await asyncio.wait({work}, timeout=YIELD_SECONDS)
                if not work.done() and await self._others_work():
                    await asyncio.to_thread(store.shadow.put_back, answer.id)
                    return False
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
        # Kept here and not by the task, which may be cancelled at any moment.
        await self._keep(answer, *work.result())
        return True

    async def _others_work(self) -> bool:
        queue = await asyncio.to_thread(self._parts.store.requests.queue)
        return bool(queue.waiting or queue.running)

    def _sampled(self, request_id: str, share: float) -> bool:
        digest = self._parts.store.hashes.content(["shadow", request_id])
        return int(digest[:8], 16) / 0xFFFFFFFF < share or share >= 1

    async def _identity(self, chosen: ShadowCandidate) -> tuple[dict[str, Any], str]:
        key = chosen.model_dump_json()
        if key not in self._known:
            # A running engine keeps the files that it has opened; a restart looks again.
            known = await asyncio.to_thread(
                candidates.identity, self._parts.settings, chosen, self._parts.tasks
            )
            self._known[key] = known, candidates.fingerprint(known)
        return self._known[key]

    async def _made(self, answer: ShadowAnswer, request: RequestRow) -> tuple[list[Draft], str]:
        """The candidate's drafts, and why there are none."""
        try:
            made = await self._drafts(answer, request)
        except EngineError as error:
            return [], str(error)
        except Exception as error:
            logger.error("a candidate failed: %s", type(error).__name__)
            return [], f"内部错误（{type(error).__name__}）。(Internal error.)"
        if not any(draft.plain_text().strip() for draft in model_drafts(made).values()):
            return made, "候选模型没有写出草稿。(The candidate wrote no draft.)"
        return made, ""

    async def _keep(self, answer: ShadowAnswer, made: list[Draft], failure: str) -> None:
        store, tasks = self._parts.store, self._parts.tasks
        real = await asyncio.to_thread(store.shadow.drafts_of, answer.request_id)
        found = {} if failure else differences([tasks.draft(one) for one in real], made)
        kept = [draft.model_dump(mode="json") for draft in made]
        await asyncio.to_thread(store.shadow.finish, answer.id, kept, found, failure)

    async def _drafts(self, answer: ShadowAnswer, request: RequestRow) -> list[Draft]:
        task = self._parts.tasks.get(answer.kind)
        chosen = next(
            (c for c in self.settings if (c.task, c.engine) == (answer.kind, answer.engine)), None
        )
        if task is None or chosen is None:
            raise EngineError("该候选已不在设置中。(The candidate is not in the settings.)")
        options = {key: value for key, value in request.options.items() if key != "members"}
        run = Run(request.context, options, [], candidates.resources_of(self._parts, chosen))
        steps: AsyncIterator[Any] = task.run(task.request.model_validate(request.payload), run)
        made = []
        async with contextlib.aclosing(steps) as told:  # type: ignore[type-var]
            async for step in told:
                if isinstance(step, Draft) and step.model:
                    made.append(step)
        return made
