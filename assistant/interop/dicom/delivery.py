"""What a task found goes out: in the forms and to the places that its rule named.

How far a delivery is stands in the store, so that one that was stopped goes on; an object that is
sent twice carries the same UIDs, and is one to whoever receives it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from assistant.imaging.out.product import DICOM_FORMS, Product, products
from assistant.imaging.out.structure import Result
from assistant.imaging.problem import ImageProblem
from assistant.interop.dicom.routing import Destination
from assistant.interop.dicom.sending import NotDelivered, to_folder, to_peer, to_web
from assistant.store import RequestNotFound, Store
from assistant.store.models.study import DicomStudyRow
from assistant.work.registry import Registry
from assistant.work.resources import Resources
from assistant.work.task import load

logger = logging.getLogger("bedside.assistant.dicom")


class Delivery:
    """Brings the results of a study's tasks to their places."""

    def __init__(self, store: Store, tasks: Registry, resources: Resources) -> None:
        self._settings = resources.settings
        self._store = store
        self._tasks = tasks
        self._resources = resources

    async def deliver(self, row: DicomStudyRow) -> bool:
        """Do what can be done for a study now; True when there is nothing more to do."""
        done = True
        for key, route in row.routes.items():
            if route["state"] == "started":
                changes = await asyncio.to_thread(self._route, row, key, route)
                if changes:
                    await asyncio.to_thread(self._store.studies.route, row.id, key, changes)
                done &= changes.get("state", "started") != "started"
        return done

    def _route(self, row: DicomStudyRow, key: str, route: Mapping[str, Any]) -> dict[str, Any]:
        """What changes of one route."""
        try:
            status = self._store.requests.status(route["request"])
        except RequestNotFound:
            return {"state": "failed", "note": "该请求已被清除。(Purged.)"}
        if status in ("queued", "running"):
            return {}
        if status != "finished":
            request = self._store.requests.get(row.context, route["request"])
            return {"state": "failed", "note": request.failure or status}
        now = self._store.database.clock()
        if route.get("next") and now.isoformat() < route["next"]:
            return {}
        sent = list(route["sent"])
        try:
            results = self._results(row, route)
            for number, place in enumerate(route["results"]):
                if number not in sent:
                    self._to(row, key, route["kind"], Destination.model_validate(place), results)
                    sent.append(number)
        except ImageProblem as problem:
            # Trying again would give the same.
            return {"state": "failed", "note": str(problem), "sent": sent}
        except Exception as error:
            return self._later(route, error) | {"sent": sent}
        return {"state": "delivered", "note": "", "sent": sent}

    def _later(self, route: Mapping[str, Any], error: Exception) -> dict[str, Any]:
        attempts = route["attempts"] + 1
        name = type(error).__name__
        note = str(error) if isinstance(error, NotDelivered) else f"内部错误 internal error {name}"
        logger.warning("a result was not delivered (%d): %s", attempts, name)
        if attempts > self._settings.dicom.retries:
            return {"state": "failed", "note": note, "attempts": attempts}
        wait = timedelta(seconds=self._settings.dicom.retry_seconds)
        after = (self._store.database.clock() + wait).isoformat()
        return {"note": note, "attempts": attempts, "next": after}

    def _to(
        self,
        row: DicomStudyRow,
        key: str,
        kind: str,
        place: Destination,
        results: list[tuple[str, Result]],
    ) -> None:
        for draft_id, result in results:
            made = products(result, place.forms)
            if place.to != "folder":
                self._send(place, made)
                continue
            base = Path(place.name) if place.name else self._settings.outgoing_folder
            # Named by ids of ours: a path is no place for a patient's data.
            folder = base / row.id / f"{kind}-{key[:8]}"
            to_folder(folder / draft_id if len(results) > 1 else folder, made)

    def _send(self, place: Destination, made: list[Product]) -> None:
        files = [one.data for one in made if one.form in DICOM_FORMS]
        settings = self._settings
        known = settings.dicom.peers if place.to == "peer" else settings.dicomweb
        if place.name not in known:
            raise ImageProblem(
                f"设置里没有名为 {place.name} 的接收方，请在 [dicom.peers] 或 [dicomweb] 中添加。",
                "The settings have no such peer or DICOMweb server.",
            )
        if place.to == "peer":
            to_peer(settings.dicom.peers[place.name], settings.dicom.ae_title, files)
        else:
            to_web(settings.dicomweb[place.name], files)

    def _results(self, row: DicomStudyRow, route: Mapping[str, Any]) -> list[tuple[str, Result]]:
        """What the drafts of a request hold for other systems, by the drafts' ids.

        Raises `ImageProblem`.
        """
        task = self._tasks.get(route["kind"])
        if task is None or not task.outcome:
            raise ImageProblem(
                "该任务的结果只在草稿中，没有可外发的影像结果。",
                "The results of this task are in its draft alone; nothing goes out.",
            )
        request = task.request.model_validate(
            self._store.requests.get(row.context, route["request"]).payload
        )
        found = []
        for kept in reversed(self._store.drafts.list(row.context, route["request"], limit=500)):
            draft = self._tasks.draft(kept.content["draft"])
            result = load(task.outcome)(request, draft, row.context, self._resources)
            found.append((kept.id, replace(result, seed=kept.id)))
        return found
