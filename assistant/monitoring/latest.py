"""The last drafts of a model and task that have a figure, and no others, from the newest on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from statistics import fmean

from assistant.monitoring.measure import Measured, measure
from assistant.monitoring.settings import FigureName
from assistant.store import Store
from assistant.store.monitored import Which, monitored
from assistant.work.registry import Registry

PAGE = 100
"""Drafts that are read at once."""

_HANDLED: frozenset[FigureName] = frozenset({"rejected", "disliked", "reported", "deleted_share"})


class Latest:
    """The drafts of one model and kind from ``since`` on that ``counts`` lets pass.

    What was read is kept, so that several figures share it.
    """

    def __init__(
        self,
        store: Store,
        tasks: Registry,
        since: datetime,
        kind: str,
        model: str,
        counts: Callable[[Measured], bool],
        scores: Mapping[str, float],
    ) -> None:
        """``scores``: draft → what reviewers gave it (`assistant.monitoring.figures`)."""
        self._store = store
        self._tasks = tasks
        self._since = since
        self._place = kind, model
        self._counts = counts
        self._scores = scores
        self._read: dict[str, _Pages] = {}

    def any(self) -> bool:
        """Whether there is one at all."""
        return bool(self._pages("all", "all").first(1))

    def values(self, figure: FigureName, count: int) -> list[float]:
        """The figure of the last ``count`` drafts that have it; fewer where there are not so many.

        Drafts that cannot have it are not read.
        """
        if figure == "review_score":
            pages = self._pages(figure, list(self._scores))
        elif figure == "edit_share":
            pages = self._pages(figure, "signed")
        elif figure in _HANDLED:
            pages = self._pages("handled", "handled")
        else:
            pages = self._pages("all", "all")
        return [row.figures[figure] for row in pages.first(count, figure)]

    def mean(self, figure: FigureName, count: int) -> tuple[float | None, int]:
        """The mean of `values`, and of how many."""
        values = self.values(figure, count)
        return (fmean(values) if values else None), len(values)

    def page(self, which: Which, before: str) -> tuple[list[Measured], str]:
        """The next drafts, newest first, and the id of the oldest that was read; "": no more."""
        kind, model = self._place
        now = self._store.database.clock()
        found = monitored(
            self._store.database,
            since=self._since,
            kind=kind,
            model=model,
            limit=PAGE,
            before=before,
            which=which,
        )
        rows = []
        for row in reversed(found):
            measured = measure(row, self._tasks, now)
            if row.id in self._scores:
                measured.figures["review_score"] = self._scores[row.id]
            if self._counts(measured):
                rows.append(measured)
        return rows, found[0].id if len(found) == PAGE else ""

    def _pages(self, name: str, which: Which) -> _Pages:
        return self._read.setdefault(name, _Pages(self, which))


class _Pages:
    """Drafts of one choice, as far as they were read."""

    def __init__(self, of: Latest, which: Which) -> None:
        self._of = of
        self._which = which
        self._rows: list[Measured] = []
        self._before = ""
        self._more = True

    def first(self, count: int, figure: FigureName | None = None) -> list[Measured]:
        """The newest ``count`` that have the figure."""
        while True:
            fit = [row for row in self._rows if figure is None or figure in row.figures]
            if len(fit) >= count or not self._more:
                return fit[:count]
            rows, self._before = self._of.page(self._which, self._before)
            self._rows += rows
            self._more = bool(self._before)
