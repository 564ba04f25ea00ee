"""The one thread that drives GenAI's continuous batching.

Requests wait in a bounded queue, run in a `Lane` and report through a callback.  Everything that
touches a pipeline happens on the loop's own thread.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable

from serving.engine import EngineBusy, EngineError, EngineUnavailable, UnsupportedOption
from serving.engines.openvino.lane import Lane, Request

_log = logging.getLogger("bedside.serving.step_loop")
_INTERRUPTED = "The model was interrupted while answering; send the request again."
_MAX_FAILURES = 3


class StepLoop:
    """Runs requests until it is closed."""

    def __init__(
        self, lanes: Callable[[], dict[bool, Lane]], max_running: int, max_waiting: int
    ) -> None:
        """Build the lanes on the loop's thread and wait for them.

        ``lanes`` maps "with guesses of tokens" to the lane for it; False must be there.

        Raises:
            EngineUnavailable: a pipeline cannot be built.
        """
        self._make_lanes = lanes
        self._max_running = max_running
        self._max_waiting = max_waiting
        self._waiting: deque[Request] = deque()
        self._running = 0
        self._wake = threading.Condition()
        self._closing = False
        self._failure: EngineError | None = None
        self._failures = 0
        self._seconds_per_request = 2.0
        self._proven: set[str] = set()
        self._ready = threading.Event()
        self._lanes: dict[bool, Lane] = {}
        self._thread = threading.Thread(target=self._run, name="bedside-step-loop", daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            raise self._failure

    @property
    def running(self) -> int:
        """Requests in a pipeline."""
        return self._running

    @property
    def waiting(self) -> int:
        """Requests in the queue."""
        return len(self._waiting)

    def submit(self, request: Request) -> None:
        """Queue a request.

        Raises:
            EngineBusy: the queue is full.
            EngineUnavailable: the loop is closed or has failed.
        """
        with self._wake:
            if self._failure is not None:
                raise self._failure
            if self._closing:
                raise EngineUnavailable("The model has been unloaded.")
            idle = max(0, self._max_running - self._running)
            if len(self._waiting) >= self._max_waiting + idle:
                turns = len(self._waiting) / self._max_running
                raise EngineBusy(max(1, min(60, round(turns * self._seconds_per_request))))
            self._waiting.append(request)
            self._wake.notify()

    def cancel(self, request: Request) -> None:
        """Forget a request; its place is free at once if it still waits, else after this step."""
        with self._wake:
            request.cancelled = True
            if request in self._waiting:
                self._waiting.remove(request)
            self._wake.notify()

    def close(self) -> None:
        """End every request as cancelled and free the pipelines; waits for the thread."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _run(self) -> None:
        try:
            self._lanes = self._make_lanes()
            self._ready.set()
            while self._admit():
                self._step()
        except BaseException as error:
            _log.error("the step loop ended: %s", type(error).__name__)
            self._fail(error)
        finally:
            self._end()
            self._ready.set()

    def _admit(self) -> bool:
        """Start waiting requests; blocks while there is nothing to do.  False: close."""
        with self._wake:
            while not (self._closing or self._waiting or self._running):
                self._wake.wait()
            if self._closing:
                return False
            fresh = self._next()
            self._running += len(fresh)
        for request in fresh:
            try:
                self._lanes[request.drafts].start(request)
            except RuntimeError as error:
                _log.error("a request was refused: %s", type(error).__name__)
                request.deliver(UnsupportedOption("The model cannot run this request."))
        return True

    def _next(self) -> list[Request]:
        """Those that wait and may start now, in their order; they wait no more.

        A lane runs one adapter at a time.  Where requests run, only those that come before the
        first one with another adapter join them, so that this one has its turn.  An idle lane turns
        to the adapter of who has waited longest, and takes everybody who waits for the same.
        """
        turns: dict[bool, str | None] = {}
        fresh: list[Request] = []
        for request in self._waiting:
            if self._running + len(fresh) >= self._max_running:
                break
            lane = self._lanes[request.drafts]
            running = lane.adapter if lane.active else None
            turn = turns.setdefault(request.drafts, request.adapter if running is None else running)
            if request.adapter == turn:
                fresh.append(request)
            elif running is not None:
                turns[request.drafts] = None
        for request in fresh:
            self._waiting.remove(request)
        return fresh

    def _step(self) -> None:
        for lane in self._lanes.values():
            before = list(lane.active)
            if not before:
                continue
            try:
                lane.drop_cancelled()
                if lane.active:
                    lane.step()
            except RuntimeError as error:
                self._recover(lane, error)
                continue
            self._failures = 0
            self._observe(before, lane)
        with self._wake:
            self._running = sum(len(lane.active) for lane in self._lanes.values())

    def _observe(self, before: Iterable[Request], lane: Lane) -> None:
        """Learn which schemas work and, as a moving average, how long a request runs."""
        for request in before:
            if request.schema is not None and request.new_tokens:
                self._proven.add(request.schema)
            if request not in lane.active:
                seconds = time.perf_counter() - request.started
                self._seconds_per_request += 0.2 * (seconds - self._seconds_per_request)

    def _recover(self, lane: Lane, error: RuntimeError) -> None:
        """Rebuild a pipeline whose step failed.

        A schema that has never produced a token is taken for the cause; requests that have not
        begun to answer are then queued again, the others end with an error.
        """
        self._failures += 1
        _log.error("a step failed (%d in a row): %s", self._failures, type(error).__name__)
        if self._failures >= _MAX_FAILURES:
            raise error
        requests = list(lane.active)
        suspects = [r for r in requests if r.schema is not None and r.schema not in self._proven]
        again: list[Request] = []
        for request in requests:
            request.handle = None
            if request in suspects:
                request.deliver(UnsupportedOption("The model cannot be held to this JSON schema."))
            elif suspects and not request.new_tokens:
                again.append(request)
            else:
                request.deliver(EngineError(_INTERRUPTED))
        lane.rebuild()
        with self._wake:
            self._waiting.extendleft(reversed(again))

    def _fail(self, error: BaseException) -> None:
        text = f"The model has stopped working ({type(error).__name__}); restart the server."
        if not self._ready.is_set():
            text = f"The model cannot be loaded: {_last_line(error)}"
        with self._wake:
            self._failure = EngineUnavailable(text)

    def _end(self) -> None:
        with self._wake:
            waiting = list(self._waiting)
            self._waiting.clear()
            self._closing = True
        active = [request for lane in self._lanes.values() for request in lane.active]
        for request in [*active, *waiting]:
            if request.cancelled:
                continue
            if self._failure is not None:
                request.deliver(EngineError(_INTERRUPTED))
            else:
                request.finish(request.text.finish(), "cancelled")
        for lane in self._lanes.values():
            lane.release()
        self._lanes = {}
        self._running = 0


def _last_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
