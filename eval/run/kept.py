"""Answers that are kept: what was answered is not asked again, what cannot be answered is noted."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from eval.run.asking import NoAnswer, Patience, insist
from eval.run.journal import Journal
from eval.run.progress import Counts

T = TypeVar("T")


class KeptAnswers:
    """``problems`` has what failed in a way that may pass: no line of the journal, asked again."""

    def __init__(self, journal: Journal, counts: Counts, patience: Patience) -> None:
        self._journal = journal
        self._counts = counts
        self._patience = patience
        self.problems: dict[str, str] = {}

    def has(self, key: str) -> bool:
        """Whether ``key`` was answered by an earlier run; counted as such."""
        known = key in self._journal.answered
        self._counts.earlier += known
        return known

    async def keep(
        self, key: str, once: Callable[[], Awaitable[T]], row: Callable[[T], dict[str, Any]]
    ) -> None:
        """Ask by ``once`` until there is an answer, and put its ``row`` on disk.

        Raises:
            Unreachable: see `Patience`.
        """
        started = time.perf_counter()
        try:
            answer, attempts = await insist(once, self._patience)
        except NoAnswer as error:
            self._counts.failed += 1
            if error.final:
                self._journal.append({"sample_id": key, "failed": str(error)})
            else:
                self.problems[key] = str(error)
            return
        seconds = round(time.perf_counter() - started, 4)
        self._journal.append(
            {"sample_id": key, **row(answer), "seconds": seconds, "attempts": attempts}
        )
        self._counts.answered += 1
