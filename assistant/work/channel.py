"""The events of jobs and who listens to them; there while a job runs or somebody listens."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from assistant.work.events import Event


@dataclass
class Channel:
    """What was told of one job so far, and to whom more is told."""

    history: list[Event] = field(default_factory=list)
    listeners: set[asyncio.Queue[Event]] = field(default_factory=set)

    def publish(self, event: Event) -> None:
        """Tell everybody."""
        self.history.append(event)
        for queue in self.listeners:
            queue.put_nowait(event)

    def restart(self, event: Event) -> None:
        """What was told so far counts no more; who comes later is not told it."""
        self.history.clear()
        self.publish(event)

    def listen(self) -> asyncio.Queue[Event]:
        """A new listener, who is told everything from the beginning."""
        queue: asyncio.Queue[Event] = asyncio.Queue()
        for event in self.history:
            queue.put_nowait(event)
        self.listeners.add(queue)
        return queue


class Channels:
    """The channels of this process, by request."""

    def __init__(self) -> None:
        self._open: dict[str, Channel] = {}

    def __len__(self) -> int:
        return len(self._open)

    def of(self, request_id: str) -> Channel:
        """The job's channel, opened if it is not."""
        return self._open.setdefault(request_id, Channel())

    def heard(self) -> set[str]:
        """The requests that somebody listens to."""
        return {key for key, channel in self._open.items() if channel.listeners}

    def close(self, request_id: str, last: Event | None = None) -> None:
        """End the channel; whoever listens is told ``last``."""
        channel = self._open.pop(request_id, None)
        if channel is not None and last is not None:
            channel.publish(last)

    def leave(self, request_id: str, queue: asyncio.Queue[Event], *, keep: bool) -> None:
        """A listener goes; the channel goes with the last one unless it is to be kept."""
        channel = self._open.get(request_id)
        if channel is None:
            return
        channel.listeners.discard(queue)
        if not channel.listeners and not keep:
            del self._open[request_id]
