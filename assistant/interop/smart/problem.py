"""Why a launch or a session is refused."""

from __future__ import annotations


class LaunchRefused(Exception):
    """The launch ends here; the message says to the doctor what to do, ``status`` to a program."""

    def __init__(self, message: str, status: int = 403) -> None:
        super().__init__(message)
        self.status = status
