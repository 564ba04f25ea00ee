"""One progress bar for everything that takes long."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

Report = Callable[[int, int, str], None]
"""(done, total, what): a new ``what`` begins a new bar."""

console = Console(stderr=True)


@contextlib.contextmanager
def progress() -> Iterator[Report]:
    """A function to report to; bars go to standard error."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    # Not shown before there is something to show: an error at once stays one line.
    bars = Progress(*columns, console=console)
    tasks: dict[str, TaskID] = {}

    def report(done: int, total: int, what: str) -> None:
        if not tasks:
            bars.start()
        if what not in tasks:
            tasks[what] = bars.add_task(what, total=total or None)
        bars.update(tasks[what], completed=done, total=total or None)

    try:
        yield report
    finally:
        if tasks:
            bars.stop()
