"""A process that takes events in and works on them, to be killed.

It is forked from one that has everything imported, so that a hundred of them start in seconds.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
from collections.abc import Sequence
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from counting_task import Counting

from assistant.application import build_services
from assistant.engine_settings import EngineSettings
from assistant.interop.events.desk import receive, tended
from assistant.interop.events.event import RecordEvent
from assistant.settings import Settings
from assistant.store import Context
from assistant.work.registry import Registry

HERE = Path(__file__).parent


async def work(home: Path, ids: Sequence[str], until_done: bool, told: Connection) -> None:
    """Take the events in and tell of each; then work on, or until all is done."""
    settings = Settings(
        home=home,
        engines={"demo": EngineSettings(kind="echo", demo_only=True)},
        encoder="hashing",
    )
    parts = build_services(settings, Registry([Counting()]), None)
    await parts.jobs.start()
    async with tended(parts):
        for key in ids:
            encounter = {"id": f"enc-{key}", "patient": {"id": f"pat-{key}"}}
            event = {"id": key, "type": "encounter.discharge", "encounter": encounter}
            context = Context("emr", "system", f"pat-{key}", f"enc-{key}")
            await receive(parts, context, "emr", RecordEvent.model_validate(event))
            told.send(key)
        while (
            not until_done
            or parts.store.requests.count("queued")
            or parts.store.requests.count("running")
        ):
            await asyncio.sleep(0.05)
    await parts.jobs.stop()
    parts.store.close()


def _run(home: Path, ids: Sequence[str], until_done: bool, told: Connection) -> None:
    asyncio.run(work(home, ids, until_done, told))


def start(
    home: Path, ids: Sequence[str], *, until_done: bool = False
) -> tuple[BaseProcess, Connection]:
    """The process, and what it tells: the id of each event that is kept."""
    places = (str(HERE), str(HERE.parent), os.environ.get("PYTHONPATH", ""))
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(filter(None, places)))
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["event_server"])
    told, tells = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(home, list(ids), until_done, tells), daemon=True)
    process.start()
    tells.close()
    return process, told
