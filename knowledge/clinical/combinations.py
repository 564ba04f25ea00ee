"""Combinations of findings that say more together than one by one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Set

from knowledge.clinical.entry import Combination


class Combinations:
    """For each entry, in their order, the combinations that it names."""

    def __init__(self, of_entries: Iterable[Iterable[Combination]]) -> None:
        self._by_first: dict[str, list[tuple[int, frozenset[str]]]] = defaultdict(list)
        for row, combinations in enumerate(of_entries):
            for combination in combinations:
                self._by_first[combination[0]].append((row, frozenset(combination)))

    def complete(self, findings: Set[str]) -> Iterator[tuple[int, frozenset[str]]]:
        """The rows of entries and their combinations of which all is among ``findings``."""
        for name in sorted(findings):
            for row, combination in self._by_first.get(name, ()):
                if findings >= combination:
                    yield row, combination
