"""The line that says how far a request is, and where it stands in the queue."""

from __future__ import annotations

from assistant.ui.markup import esc
from assistant.ui.session import Work
from assistant.ui.strings import Text


def status_line(work: Work, t: Text) -> str:
    """For a request that was sent; nothing before one is."""
    if work.state == "idle":
        return ""
    turning = '<span class="turning" aria-hidden="true"></span>' if work.busy else ""
    css = "bad" if work.state == "failed" else work.state
    message = work.message or t(f"state.{work.state}")
    message = f"{message} {in_queue(work, t)}".rstrip()
    return f'<p class="status {css}" role="status">{turning}{esc(message)}</p>'


def in_queue(work: Work, t: Text) -> str:
    """How many are in front and when its turn comes; nothing for what does not wait for others."""
    if work.state != "queued" or not work.place:
        return ""
    said = [t("queue.place", n=work.place - 1)] if work.place > 1 else []
    if work.expected_seconds is not None:
        said.append(t("queue.expected", s=work.expected_seconds))
    return " · ".join(said)
