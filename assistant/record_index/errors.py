"""What is wrong with a question, as a sentence for who asked it."""

from __future__ import annotations


class SearchRefused(Exception):
    """A question that cannot be answered; the message says what to do."""


class QueryError(SearchRefused):
    """A query that cannot be read; ``at`` is the character where, from 0."""

    def __init__(self, at: int, zh: str, en: str) -> None:
        super().__init__(f"第 {at + 1} 个字符：{zh}。({en}, at character {at + 1}.)")
        self.at = at


class NotAllowed(SearchRefused):
    """The role may not do that."""
