"""The rare diseases of a base: table, reader and ranking together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from knowledge.clinical.evidence import CaseEvidence
from knowledge.rare.ranking import RareHint, RareRanking
from knowledge.rare.reading import PhenotypeReader
from knowledge.rare.table import RareTable


class RareBase:
    """An opened table.  Safe to use from several threads."""

    def __init__(self, table: RareTable) -> None:
        self.table = table
        self._reader = PhenotypeReader(table)
        self.ranking = RareRanking(table)

    @classmethod
    def open(cls, folder: Path) -> RareBase | None:
        """The rare diseases of a base's folder; None where it was built without."""
        table = RareTable.read(folder)
        return cls(table) if table else None

    def hints(
        self, texts: Mapping[str, str], case: CaseEvidence, leads: Mapping[str, str] | None = None
    ) -> list[RareHint]:
        """The rare diseases to think of in a case of notes (id → text), at most three."""
        evidence = self._reader.read(texts, case, leads)
        return self.ranking.hints(evidence, age_years=case.age_years, sex=case.sex)
