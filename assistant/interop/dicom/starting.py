"""A complete study becomes requests of tasks, each accepted once however often it is looked at."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from typing import Any

from pydantic import ValidationError

from assistant.interop.dicom.routing import Planned, Rule, plan
from assistant.settings import Settings
from assistant.store import DatabaseFailed, Store, StoreError
from assistant.store.models.study import DicomStudyRow
from assistant.work.jobs import Jobs
from assistant.work.registry import Registry
from assistant.work.task import Refused

logger = logging.getLogger("bedside.assistant.dicom")

SOURCE = "dicom"


class Starting:
    """Starts what the rules say; a request's key keeps it from starting twice."""

    def __init__(self, settings: Settings, store: Store, tasks: Registry, jobs: Jobs) -> None:
        self._settings = settings
        self._store = store
        self._tasks = tasks
        self._jobs = jobs

    async def start(self, row: DicomStudyRow, rules: list[Rule]) -> None:
        """Start everything that fits a study.  Raises `TooManyJobs`, with the rest not started."""
        for planned in plan(rules, row.series):
            await self._start(row, planned)

    async def _start(self, row: DicomStudyRow, planned: Planned) -> None:
        key = _key(row, planned)
        if key in row.routes:
            return
        route = {
            "rule": planned.rule.name,
            "kind": planned.rule.task,
            "results": [one.model_dump() for one in planned.rule.results],
            "attempts": 0,
            "sent": [],
            "note": "",
        }
        try:
            route |= {"state": "started", "request": await self._submit(row, planned, key)}
        except DatabaseFailed:
            # The next look may find it well again.
            raise
        except (Refused, ValidationError, StoreError) as error:
            route |= {"state": "refused", "note": _why(error)}
        await asyncio.to_thread(self._store.studies.route, row.id, key, route)

    async def _submit(self, row: DicomStudyRow, planned: Planned, key: str) -> str:
        task = self._tasks.get(planned.rule.task)
        if task is None:
            raise Refused("没有安装这个任务。(This task is not installed.)")
        attachments = await asyncio.to_thread(self._attachments, row, planned)
        body: dict[str, Any] = {
            **planned.rule.options,
            "patient_id": row.patient_id,
            "attachments": attachments,
        }
        if row.encounter_id:
            body["encounter_id"] = row.encounter_id
        asked = task.accept(task.posted.model_validate(body), self._settings)
        request = await self._jobs.submit(
            row.context,
            task.kind,
            asked.payload,
            asked.record_hash,
            # If a kill came before the route was noted, this gives the request made then.
            idempotency_key=f"{SOURCE}:{key}",
            options=asked.options or None,
            source=SOURCE,
            batch=True,
        )
        logger.info("a study of the network has started %s", task.kind)
        return request.id

    def _attachments(self, row: DicomStudyRow, planned: Planned) -> list[dict[str, Any]]:
        return [
            self._store.attachments.get(row.context, row.series[uid]["attachment"]).model_dump(
                mode="json"
            )
            for uid in planned.series
        ]


def _key(row: DicomStudyRow, planned: Planned) -> str:
    """The same for the same rule and the same instances, whose contents never change."""
    parts = [row.id, planned.rule.name]
    parts += [f"{uid}:{row.series[uid]['instances']}" for uid in planned.series]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def _why(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        return f"规则的 options 与任务不符：{place}: {first['msg']} (Bad options in the rule.)"
    return str(error)
