"""A reception on loopback over a fresh store, with the task of radiomics behind it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
import yaml
from dicom_peer import ENCOUNTER, PATIENT

from assistant.api.context import Services
from assistant.application import build_services
from assistant.interop.dicom import reception as module
from assistant.interop.dicom.reception import Reception
from assistant.interop.dicom.settings import Caller, DicomSettings
from assistant.settings import Settings
from assistant.store import Context
from assistant.store.models.study import DicomStudyRow
from assistant.work.registry import GROUP, Registry

TASKS = Registry.of([EntryPoint("radiomics", "assistant.tasks.radiomics.task:Radiomics", GROUP)])
DOCTOR = Context("doctor-1", "doctor", PATIENT, ENCOUNTER)

RULE: dict[str, Any] = {
    "name": "区域",
    "when": {"modality": ["CT"], "min_instances": 3},
    "beside": [{"modality": ["SEG", "RTSTRUCT"]}],
    "task": "radiomics",
    "options": {
        "settings": {"bins": {"width": 25, "start": "minimum"}, "families": ["statistics"]}
    },
    "results": [{"forms": ["seg", "sr", "json"], "to": "folder"}],
}


@dataclass
class Desk:
    """A reception, and a look behind it."""

    settings: Settings
    parts: Services
    reception: Reception

    @property
    def port(self) -> int:
        return self.reception.listening.port

    def study(self) -> DicomStudyRow:
        (row,) = self.parts.store.studies.list()
        return row

    async def until(self, state: str, seconds: float = 90) -> DicomStudyRow:
        """The study when it stands so."""
        await self.holds(lambda: self.study().state == state, seconds)
        return self.study()

    async def holds(self, what: Callable[[], bool], seconds: float = 90) -> None:
        ended = time.monotonic() + seconds
        while not await asyncio.to_thread(what):
            assert time.monotonic() < ended, "it did not come to that"
            await asyncio.sleep(0.05)


@pytest.fixture
def dicom_settings(settings: Settings, free_port: int) -> Settings:
    """Listening to CT01, with the one rule above."""
    settings.dicom = DicomSettings(
        listen=True,
        port=free_port,
        callers=[Caller(ae_title="CT01"), Caller(ae_title="FAR", addresses=["192.0.2.7"])],
        quiet_seconds=0.4,
        patience_seconds=0.8,
        min_free_mib=1,
        retry_seconds=0.1,
        retries=2,
    )
    write_rules(settings.home, RULE)
    return settings


def write_rules(home: Path, *rules: dict[str, Any]) -> None:
    (home / "routing.yaml").write_text(yaml.safe_dump({"rules": list(rules)}), "utf-8")


async def opened(settings: Settings) -> Desk:
    parts = build_services(settings, TASKS, None)
    await parts.jobs.start()
    desk = Desk(settings, parts, Reception(parts.store, TASKS, parts.resources, parts.jobs))
    await desk.reception.start()
    return desk


async def closed(desk: Desk) -> None:
    await desk.reception.stop()
    await desk.parts.jobs.stop()
    desk.parts.store.close()


@pytest.fixture
async def desk(dicom_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.05)
    made = await opened(dicom_settings)
    yield made
    await closed(made)
