"""The curated base in use: entries, vocabulary, reader and ranking, kept beside a built base."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

from knowledge.clinical.differential import ClinicalDifferential
from knowledge.clinical.entry import Entry
from knowledge.clinical.evidence import CaseEvidence, case_evidence
from knowledge.clinical.ranking import ClinicalRanking
from knowledge.clinical.reading import ClinicalReader
from knowledge.clinical.vocabulary import Analyte, ClinicalFinding, Vocabulary
from knowledge.ranking.demographics import Sex
from knowledge.text.finding import Finding
from knowledge.text.folding import fold

FILE = "clinical.json"


class ClinicalBase:
    """Entries with the vocabulary that they are told in.  Safe to use from several threads."""

    def __init__(self, entries: Sequence[Entry], known: Vocabulary) -> None:
        self.entries = tuple(entries)
        self.known = known

    @cached_property
    def names(self) -> frozenset[str]:
        """All names of all entries, folded."""
        return frozenset(fold(n) for entry in self.entries for n in (entry.name, *entry.names))

    # Only who ranks waits for what ranking needs.
    @cached_property
    def reader(self) -> ClinicalReader:
        """Reads the findings of the vocabulary."""
        return ClinicalReader(self.known)

    @cached_property
    def ranking(self) -> ClinicalRanking:
        """The entries as arrays."""
        return ClinicalRanking(self.entries, self.known)

    def differential(self, case: CaseEvidence) -> ClinicalDifferential:
        """Candidates, reasons and questions of a case."""
        return ClinicalDifferential(self.ranking, case)

    def evidence(
        self,
        texts: Mapping[str, str],
        others: Iterable[Finding] = (),
        *,
        leads: Mapping[str, str] | None = None,
        age_years: float | None = None,
        sex: Sex | None = None,
    ) -> CaseEvidence:
        """What notes (id → text) say.  ``others`` are findings that another reader found in them;
        those whose concept this vocabulary has under any wording count as well, where this reader
        found nothing.  ``leads`` stand before a note when it is read (a heading that its form
        shows), and in no offset."""
        found = [
            finding
            for note_id, text in texts.items()
            for finding in self.reader.read(
                text, note_id, lead=(leads or {}).get(note_id, ""), age_years=age_years, sex=sex
            )
        ]
        read = [finding.span for finding in found]
        for finding in others:
            if any(finding.span.overlaps(span) for span in read):
                continue
            found += [
                finding.model_copy(update={"concept": name})
                for name in self.reader.named(finding.concept)
            ]
        return case_evidence(found, self.known, list(texts.values()), age_years=age_years, sex=sex)

    def write(self, path: Path) -> None:
        """Keep the base as JSON."""
        record = {
            "entries": [entry.as_record() for entry in self.entries],
            "findings": [asdict(finding) for finding in self.known.findings.values()],
            "analytes": [asdict(analyte) for analyte in self.known.analytes.values()],
        }
        path.write_text(
            json.dumps(record, ensure_ascii=False, separators=(",", ":")), encoding="utf-8"
        )

    @classmethod
    def read(cls, path: Path) -> ClinicalBase:
        """The base that `write` kept; an empty one where there is none."""
        if not path.exists():
            return cls([], Vocabulary({}, {}))
        record = json.loads(path.read_bytes())
        findings = [_finding(row) for row in record["findings"]]
        analytes = [Analyte(**{**row, "names": tuple(row["names"])}) for row in record["analytes"]]
        known = Vocabulary({f.name: f for f in findings}, {a.name: a for a in analytes})
        return cls([Entry.model_validate(row) for row in record["entries"]], known)


def _finding(row: dict[str, Any]) -> ClinicalFinding:
    wordings = tuple(
        tuple(tuple(tuple(choice) for choice in part) for part in parts)
        for parts in row["wordings"]
    )
    return ClinicalFinding(row["name"], row["kind"], wordings, tuple(row["broader"]))
