"""A file that is not read, and what its sender can do."""

from __future__ import annotations


class PageRefused(Exception):
    """A file cannot or must not be opened as pages.

    ``code`` is a stable short name of the reason; the message is a sentence for the user and holds
    nothing of the file's content.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
