"""A request's way from its table to the report, in parts while they come."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import shutil
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from assistant.store import Context
from assistant.tasks.radiomics.cohort.cells import read_cells
from assistant.tasks.radiomics.cohort.draft import CohortModel, CohortPart, CohortProgress
from assistant.tasks.radiomics.cohort.guess import Guess, guess
from assistant.tasks.radiomics.cohort.purpose import PURPOSE
from assistant.tasks.radiomics.cohort.refusal import CohortRefused
from assistant.tasks.radiomics.cohort.report import sizes
from assistant.tasks.radiomics.cohort.request import CohortRoles, CohortToModel, decoded
from assistant.tasks.radiomics.cohort.roles import Roles
from assistant.tasks.radiomics.cohort.settings import CohortSettings, settings_of
from assistant.tasks.radiomics.cohort.study import make
from assistant.tasks.radiomics.cohort.table import read_cohort
from assistant.work.events import Event
from assistant.work.resources import Resources
from serving.engine import EngineError

_SMALL = 50_000
"""Numbers in a table whose folds are done before other processes would have started."""

_READ_AT_ONCE = 2_000_000
"""Bytes of a table that is read before the request is taken; what is wrong with a larger one the
job tells, since nobody else is served meanwhile."""

_STEPS = 20


class _Gone(Exception):
    """Nobody waits for it any more."""


def guessed(data: bytes) -> tuple[Guess, int]:
    """What the columns of a table are most likely for, and how many cases there are.

    Raises `CohortRefused`.
    """
    with _file(data) as path:
        cells = read_cells(path)
    return guess(cells), len(cells.lines)


def checked(request: CohortToModel) -> CohortToModel:
    """The request with its roles, guessed where no outcome is named; a table that is not
    large is read, so that what is wrong with it is told at once.

    Raises:
        CohortRefused: what `settings_of` and `read_cohort` raise, or no outcome is found.
    """
    data = decoded(request.table)
    settings = _settings(request)
    roles = request.roles
    if not roles.outcome and not roles.time:
        found, _ = guessed(data)
        if not found.roles.outcome and not found.roles.time:
            raise CohortRefused(
                "没有找出结局列：请指明结局（outcome），或时间和事件（time、event）。"
                "(No outcome was found: name `outcome`, or `time` and `event`.)"
            )
        said = {name: value for name, value in roles.model_dump().items() if value}
        roles = CohortRoles(**{**vars(found.roles), **said})
        if not settings.clinical and found.clinical:
            more = {**request.settings, "clinical": list(found.clinical)}
            request = request.model_copy(update={"settings": more})
            settings = _settings(request)
    if bool(roles.time) != bool(roles.event):
        raise CohortRefused(
            "时间列和事件列要一起给出（time、event）。(Give `time` and `event` together.)"
        )
    if len(data) < _READ_AT_ONCE:
        with _file(data) as path:
            read_cohort(path, _roles(roles), settings)
    return request.model_copy(update={"roles": roles})


async def modelled(
    request: CohortToModel, context: Context, resources: Resources
) -> AsyncIterator[Event | CohortModel]:
    """How far it is and the parts of the report, then the draft.

    A caller that goes away stops the work.  Raises `EngineError` with what is wrong.
    """
    events: asyncio.Queue[Event] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    gone = threading.Event()

    def tell(event: Event) -> None:
        if gone.is_set():
            raise _Gone
        loop.call_soon_threadsafe(events.put_nowait, event)

    home = resources.settings.home
    work = asyncio.create_task(asyncio.to_thread(_modelled, request, context, home, tell))
    work.add_done_callback(lambda one: one.cancelled() or one.exception())
    try:
        while not work.done() or not events.empty():
            wait = asyncio.create_task(events.get())
            await asyncio.wait({wait, work}, return_when=asyncio.FIRST_COMPLETED)
            if wait.done():
                yield wait.result()
            else:
                wait.cancel()
        yield await work
    except CohortRefused as problem:
        raise EngineError(str(problem)) from None
    finally:
        gone.set()


def _modelled(
    request: CohortToModel, context: Context, home: Path, tell: Callable[[Event], None]
) -> CohortModel:
    started = time.perf_counter()
    data = decoded(request.table)
    settings = _settings(request)
    last = -1

    def report(done: int, total: int, _: str) -> None:
        nonlocal last
        step = done * _STEPS // max(total, 1)
        if step > last:
            last = step
            tell(CohortProgress(done=done, total=total))

    def grow(part: str, content: dict[str, Any]) -> None:
        tell(CohortPart(part=part, content=content))

    folder = _folder(home, context, request)
    with _file(data) as path:
        jobs = 1 if len(data) < _SMALL else _processes()
        made, files = make(path, _roles(request.roles), settings, {}, folder, report, jobs, grow)
        result = CohortModel(
            cases=made["flow"]["used"],
            events=made["flow"]["events"],
            lines=[PURPOSE, *made["notes"], *sizes(made)],
            report=made,
            model_file=base64.b64encode(files.model.read_bytes()).decode(),
            predictions=files.predictions.read_text("utf-8-sig"),
            seconds=time.perf_counter() - started,
        )
    # All is in the draft, where a purge finds it.
    shutil.rmtree(folder, ignore_errors=True)
    return result


def _folder(home: Path, context: Context, request: CohortToModel) -> Path:
    """Where the finished folds lie meanwhile; the same work finds them again after a stop."""
    said = f"{context.actor_id}\0{request.model_dump_json()}"
    return home / "cohorts" / hashlib.sha256(said.encode()).hexdigest()[:32]


def _processes() -> int:
    from serving.hardware import topology

    return len(topology.usable())


def _roles(roles: CohortRoles) -> Roles:
    return Roles(**roles.model_dump())


def _settings(request: CohortToModel) -> CohortSettings:
    return settings_of(request.settings)


@contextmanager
def _file(data: bytes) -> Iterator[Path]:
    """The table as a file of its own that nobody else may read, gone afterwards."""
    with tempfile.NamedTemporaryFile(prefix="bedside-cohort-") as kept:
        kept.write(data)
        kept.flush()
        yield Path(kept.name)
