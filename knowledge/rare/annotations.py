"""Rare diseases with their phenotypes: ``phenotype.hpoa`` of the Human Phenotype Ontology.

Each line annotates a disease of OMIM or Orphanet with a phenotype, how frequent it is, at what age
it begins, in which sex it is seen, or with one that the disease does not show (``NOT``).
Columns: https://obophenotype.github.io/human-phenotype-ontology/annotations/phenotype_hpoa/
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from knowledge.sources.fact import SourceError

FILE: Final = "phenotype.hpoa"
MALE, FEMALE = 1, 2
BOTH: Final = MALE | FEMALE
"""In whom a phenotype is seen, as bits."""
FREQUENCIES: Final = {
    "HP:0040280": 1.0, "HP:0040281": 0.9, "HP:0040282": 0.55, "HP:0040283": 0.17,
    "HP:0040284": 0.025, "HP:0040285": 0.0,
}  # fmt: skip
"""The middle of each class of frequency as the ontology defines them."""
UNTOLD: Final = 0.5
"""The frequency where none is told."""
ONSETS: Final = {
    "HP:0030674": (0, 0), "HP:0003577": (0, 0), "HP:0003623": (0, 0.08), "HP:0003593": (0.08, 1),
    "HP:0011463": (1, 5), "HP:0003621": (5, 15), "HP:0011462": (16, 40), "HP:0025708": (16, 19),
    "HP:0025709": (19, 25), "HP:0025710": (25, 40), "HP:0003581": (16, 130),
    "HP:0003596": (40, 60), "HP:0003584": (60, 130),
}  # fmt: skip
"""Years of age of the classes of onset."""
X_LINKED: Final = "HP:0001419"
"""X-linked recessive inheritance."""
LEAST: Final = 4
"""A disease with fewer phenotypes than this is told from none."""
_NO_DISEASE = re.compile(r"susceptibility|modifier of|quantitative trait|\bsomatic\b|\{", re.I)
_SEXES = {"MALE": MALE, "FEMALE": FEMALE}


@dataclass(slots=True)
class RareDisease:
    """A disease by one name: ``rates`` maps phenotypes to how often it shows them (0 to 1).

    ``onset``: years of age between which it begins, where told; ``sexes``: bits per phenotype.
    """

    name: str
    ids: list[str] = field(default_factory=list)
    rates: dict[str, float] = field(default_factory=dict)
    sexes: dict[str, int] = field(default_factory=dict)
    excluded: set[str] = field(default_factory=set)
    onset: tuple[float, float] | None = None
    x_linked: bool = False


def read_annotations(path: Path, current: Mapping[str, str]) -> list[RareDisease]:
    """The diseases of a file, those of one name together (OMIM's and Orphanet's).

    ``current`` has the phenotypes, from ids of old or now to those of now.

    Raises:
        SourceError: the file cannot be read, or a line has another form.
    """
    diseases: dict[str, RareDisease] = {}
    for row in _rows(path):
        if row["database_id"].startswith("DECIPHER") or _NO_DISEASE.search(row["disease_name"]):
            continue
        key = " ".join(row["disease_name"].lower().split())
        disease = diseases.setdefault(key, RareDisease(_cased(row["disease_name"])))
        if row["database_id"] not in disease.ids:
            disease.ids.append(row["database_id"])
        _add(disease, row, current)
    return [disease for disease in diseases.values() if len(disease.rates) >= LEAST]


def _rows(path: Path) -> Iterator[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            lines = (line for line in file if not line.startswith("#"))
            reader = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
            wanted = {"database_id", "disease_name", "qualifier", "hpo_id", "frequency", "aspect"}
            if missing := wanted - {*(reader.fieldnames or ())}:
                raise SourceError(f"{path.name} has no column {', '.join(sorted(missing))}.")
            yield from reader
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SourceError(f"{path.name} cannot be read: {error}.") from error


def _add(disease: RareDisease, row: Mapping[str, str], current: Mapping[str, str]) -> None:
    if row["hpo_id"] == X_LINKED:
        disease.x_linked = True
    _widen(disease, (row["hpo_id"], row.get("onset") or ""))
    term = current.get(row["hpo_id"])
    if row["aspect"] != "P" or term is None:
        return
    rate = frequency(row["frequency"])
    if row["qualifier"] == "NOT" or rate == 0:
        disease.excluded.add(term)
        return
    sex = _SEXES.get((row.get("sex") or "").upper(), BOTH)
    disease.sexes[term] = disease.sexes.get(term, 0) | sex
    disease.rates[term] = max(rate, disease.rates.get(term, 0.0))


def _widen(disease: RareDisease, terms: Iterable[str]) -> None:
    for years in (ONSETS[term] for term in terms if term in ONSETS):
        low, high = disease.onset or years
        disease.onset = (min(low, years[0]), max(high, years[1]))


def frequency(written: str) -> float:
    """How often, 0 to 1, of a class (HP:0040281), a count (3/7) or a share (45%).

    A count of few says less: one of one is 0.67 (rule of succession).
    """
    written = written.strip()
    if written in FREQUENCIES:
        return FREQUENCIES[written]
    if counted := re.fullmatch(r"(\d+)\s*/\s*(\d+)", written):
        seen, of = int(counted[1]), int(counted[2])
        return 0.0 if of and not seen else min(1.0, (seen + 1) / (of + 2))
    if share := re.fullmatch(r"([\d.]+)\s*%", written):
        return min(1.0, float(share[1]) / 100)
    return UNTOLD


def _cased(name: str) -> str:
    """LYMPHANGIOLEIOMYOMATOSIS as a word; what is written in both cases stays."""
    name = " ".join(name.split())
    return name.capitalize() if name.isupper() and len(name) > 8 else name
