"""How far a run is: counts, rate and time left, on standard error."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

_EVERY_SECONDS = 10.0


@dataclass(slots=True)
class Counts:
    """What a run has done so far."""

    total: int
    earlier: int = 0
    answered: int = 0
    cached: int = 0
    failed: int = 0
    tokens: int = 0
    started: float = field(default_factory=time.monotonic)

    @property
    def left(self) -> int:
        """Samples that are still to be asked."""
        return self.total - self.earlier - self.answered - self.cached - self.failed

    def line(self) -> str:
        """The state in one line."""
        seconds = max(time.monotonic() - self.started, 1e-9)
        done = self.total - self.left
        parts = [f"{done}/{self.total}"]
        if asked := self.answered + self.failed:
            rate = asked / seconds
            parts.append(f"{60 * rate:.1f} samples/min, {self.tokens / seconds:.1f} tokens/s")
            parts.append(f"about {_clock(self.left / rate)} left")
        extras = (("earlier", self.earlier), ("cached", self.cached), ("failed", self.failed))
        parts += [f"{count} {name}" for name, count in extras if count]
        return ", ".join(parts)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class ProgressLine:
    """A bar that moves on a terminal; elsewhere a line now and then."""

    def __init__(self, counts: Counts, *, quiet: bool = False) -> None:
        self._counts = counts
        self._quiet = quiet
        self._said = 0.0
        console = Console(stderr=True)
        self._live = (
            Live(console=console, refresh_per_second=2, get_renderable=self._table)
            if console.is_terminal and not quiet
            else None
        )

    def __enter__(self) -> ProgressLine:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()
        elif not self._quiet:
            print(self._counts.line(), file=sys.stderr, flush=True)

    def changed(self) -> None:
        """Something was counted."""
        now = time.monotonic()
        if self._live is None and not self._quiet and now - self._said >= _EVERY_SECONDS:
            self._said = now
            print(self._counts.line(), file=sys.stderr, flush=True)

    def _table(self) -> Table:
        counts = self._counts
        table = Table.grid(padding=(0, 1))
        bar = ProgressBar(total=counts.total, completed=counts.total - counts.left, width=40)
        table.add_row(bar, counts.line())
        return table
