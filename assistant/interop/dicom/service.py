"""``bedside dicom listen``: the reception and the workers behind it, without any page."""

from __future__ import annotations

import asyncio
import contextlib
import signal

from assistant.interop.dicom.listening import CannotListen
from assistant.settings import Settings


async def serve(settings: Settings, port: int | None = None) -> None:
    """Take studies until SIGINT or SIGTERM.  Raises `CannotListen`, `BadRules`."""
    from assistant.application import build_services
    from assistant.commands.progress import console
    from assistant.interop.dicom.reception import Reception
    from assistant.opening import open_knowledge
    from assistant.work.registry import installed

    if port is not None:
        settings.dicom.port = port
    if not settings.dicom.callers:
        raise CannotListen(
            '没有允许的发送方，请在设置里加 [[dicom.callers]] ae_title = "CT01"。'
            "(Nobody may send: name the AE titles in [[dicom.callers]].)"
        )
    tasks = installed()
    base, _ = open_knowledge(settings)
    parts = build_services(settings, tasks, base)
    reception = Reception(parts.store, tasks, parts.resources, parts.jobs)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stop.set)
    try:
        parts.engines.start()
        await parts.jobs.start()
        await reception.start()
        console.print(
            f"DICOM {settings.dicom.ae_title}@{settings.dicom.host}:{reception.listening.port}",
            highlight=False,
            markup=False,
        )
        await stop.wait()
    finally:
        await reception.stop()
        await parts.jobs.stop()
        await parts.engines.close()
        parts.store.close()
