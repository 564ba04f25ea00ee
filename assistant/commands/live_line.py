"""A line that tells how a long run stands: rewritten in a terminal, now and then in a log."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

from assistant.commands.progress import console

_EVERY = 30.0


@contextlib.contextmanager
def live_line() -> Iterator[Callable[[int, int, str], None]]:
    """A function to tell (done, total, what is measured); the line goes to standard error."""
    started = time.monotonic()
    first: int | None = None
    last = -_EVERY

    def words(done: int, total: int, told: str) -> str:
        taken = time.monotonic() - started
        nonlocal first
        first = done - 1 if first is None else first
        left = taken / max(1, done - first) * (total - done)
        return f"{done}/{total}  {told}  {_clock(taken)} < {_clock(left)}"

    if console.is_terminal:
        with console.status("…") as status:
            yield lambda done, total, told: status.update(words(done, total, told))
        return

    def log(done: int, total: int, told: str) -> None:
        nonlocal last
        line = words(done, total, told)
        if time.monotonic() - last >= _EVERY or done == total:
            last = time.monotonic()
            console.print(line, markup=False, highlight=False, soft_wrap=True)

    yield log


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02d}"
