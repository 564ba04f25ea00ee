"""The phenotypes that a case shows and denies, by the curated findings and by their own names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from knowledge.clinical.evidence import CaseEvidence, case_evidence
from knowledge.clinical.reading import ClinicalReader
from knowledge.clinical.vocabulary import ClinicalFinding, Vocabulary
from knowledge.clinical.wording import parse_wording
from knowledge.rare.table import RareTable
from knowledge.text.finding import Finding


@dataclass(frozen=True)
class PhenotypeEvidence:
    """Phenotypes by number, each with how sure the text is and the finding that says so."""

    present: Mapping[int, tuple[float, Finding]]
    absent: Mapping[int, tuple[float, Finding]]


class PhenotypeReader:
    """Reads the phenotypes of a table.  Safe to use from several threads."""

    def __init__(self, table: RareTable) -> None:
        self._table = table
        # A phenotype is denied as signs are, and what was (气胸 as a youth) counts as what is.
        self._known = Vocabulary(
            {
                str(number): ClinicalFinding(
                    str(number), "course", tuple(parse_wording(word) for word in words)
                )
                for number, words in table.wordings.items()
            },
            {},
        )
        self._reader = ClinicalReader(self._known)

    def read(
        self, texts: Mapping[str, str], case: CaseEvidence, leads: Mapping[str, str] | None = None
    ) -> PhenotypeEvidence:
        """The phenotypes of notes (id → text), of which ``case`` is what the findings are."""
        found = [
            finding
            for note_id, text in texts.items()
            for finding in self._reader.read(text, note_id, lead=(leads or {}).get(note_id, ""))
        ]
        own = case_evidence(found, self._known)
        present = {int(name): (sure, own.spans[name]) for name, sure in own.present.items()}
        absent = {int(name): (sure, own.spans[name]) for name, sure in own.absent.items()}
        for side, told in ((present, case.present), (absent, case.absent)):
            for name, sure in told.items():
                for number in self._table.findings.get(name, ()):
                    if name in case.spans:
                        side.setdefault(number, (sure, case.spans[name]))
        lines = {line for number in present for line in self._table.phenotypes[number].lines}
        return PhenotypeEvidence(
            present, {number: said for number, said in absent.items() if number not in lines}
        )
