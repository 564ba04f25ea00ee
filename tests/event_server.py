"""A process that takes events in and works on them, to be killed: HOME, then ids of events."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from counting_task import Counting

from assistant.application import build_services
from assistant.engine_settings import EngineSettings
from assistant.interop.events.desk import receive, tended
from assistant.interop.events.event import RecordEvent
from assistant.settings import Settings
from assistant.store import Context
from assistant.work.registry import Registry


async def work(home: Path, ids: list[str], until_done: bool) -> None:
    settings = Settings(
        home=home,
        engines={"demo": EngineSettings(kind="echo", demo_only=True)},
        encoder="hashing",
    )
    parts = build_services(settings, Registry([Counting()]), None)
    await parts.jobs.start()
    async with tended(parts):
        print("ready", flush=True)
        for key in ids:
            encounter = {"id": f"enc-{key}", "patient": {"id": f"pat-{key}"}}
            event = {"id": key, "type": "encounter.discharge", "encounter": encounter}
            context = Context("emr", "system", f"pat-{key}", f"enc-{key}")
            await receive(parts, context, "emr", RecordEvent.model_validate(event))
            print(json.dumps({"kept": key}), flush=True)
        while (
            not until_done
            or parts.store.requests.count("queued")
            or parts.store.requests.count("running")
        ):
            await asyncio.sleep(0.05)
    await parts.jobs.stop()
    parts.store.close()


if __name__ == "__main__":
    asyncio.run(work(Path(sys.argv[1]), sys.argv[3:], sys.argv[2] == "finish"))
