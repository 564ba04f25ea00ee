"""Rare diseases and their phenotypes as arrays, kept in a base."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from knowledge.rare.annotations import RareDisease
from knowledge.rare.ontology import Ontology
from knowledge.rare.tables import chinese_name, stem

Ints = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.uint8]
Singles = npt.NDArray[np.float32]

FILE, ARRAYS = "rare.json", "rare.npz"
STEPS: Final = 250
"""A frequency is kept as a whole number of these."""
COMMONEST: Final = 0.25
"""A phenotype that more of the diseases have than this tells none from another."""


@dataclass(frozen=True, slots=True)
class Disease:
    """A disease as it is shown.  ``family``: what its kinds have in common, by name."""

    name: str
    ids: tuple[str, ...]
    family: str
    chinese: str = ""
    names: tuple[str, ...] = ()
    onset: tuple[float, float] | None = None
    x_linked: bool = False
    excluded: tuple[int, ...] = ()
    """Numbers of the phenotypes that it does not show."""


@dataclass(frozen=True, slots=True)
class Phenotype:
    """A phenotype as it is shown; ``lines``: numbers of itself and of what it is a kind of."""

    id: str
    name: str
    chinese: str
    lines: tuple[int, ...]


@dataclass(frozen=True)
class RareTable:
    """``rows[starts[t]:starts[t + 1]]`` are the diseases that show phenotype *t* or a kind of it,
    ``rates`` how often (of `STEPS`), ``sexes`` in whom, ``own`` whether *t* itself is listed.

    ``findings`` maps findings of the curated vocabulary to phenotypes, ``wordings`` phenotypes to
    how they are written.
    """

    source: str
    diseases: tuple[Disease, ...]
    phenotypes: tuple[Phenotype, ...]
    findings: Mapping[str, tuple[int, ...]]
    wordings: Mapping[int, tuple[str, ...]]
    starts: Ints
    rows: Ints
    rates: Bytes
    sexes: Bytes
    own: npt.NDArray[np.bool_]
    hospital: Singles
    """How often patients of a hospital show each phenotype, where that is known; else 0."""

    def write(self, folder: Path) -> None:
        """Keep the table in a base's folder."""
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        np.savez_compressed(folder / ARRAYS, allow_pickle=False, **arrays)
        record = {
            "source": self.source,
            "diseases": [asdict(disease) for disease in self.diseases],
            "phenotypes": [[p.id, p.name, p.chinese, p.lines] for p in self.phenotypes],
            "findings": self.findings,
            "wordings": self.wordings,
        }
        text = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
        (folder / FILE).write_text(text, encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> RareTable | None:
        """The table that `write` kept; None in a base without."""
        if not (folder / FILE).exists():
            return None
        record = json.loads((folder / FILE).read_bytes())
        with np.load(folder / ARRAYS, allow_pickle=False) as kept:
            arrays = {name: kept[name] for name in _ARRAYS}
        return cls(
            source=record["source"],
            diseases=tuple(_disease(row) for row in record["diseases"]),
            phenotypes=tuple(Phenotype(a, b, c, tuple(d)) for a, b, c, d in record["phenotypes"]),
            findings={name: tuple(numbers) for name, numbers in record["findings"].items()},
            wordings={int(n): tuple(words) for n, words in record["wordings"].items()},
            **arrays,
        )


_ARRAYS = ("starts", "rows", "rates", "sexes", "own", "hospital")


def _disease(row: Mapping[str, Any]) -> Disease:
    onset = row["onset"]
    return Disease(
        row["name"],
        tuple(row["ids"]),
        row["family"],
        row["chinese"],
        tuple(row["names"]),
        (onset[0], onset[1]) if onset else None,
        row["x_linked"],
        tuple(row["excluded"]),
    )


def compile_table(
    source: str,
    diseases: Sequence[RareDisease],
    ontology: Ontology,
    chinese: Mapping[str, str],
    findings: Mapping[str, Sequence[str]],
    wordings: Mapping[str, Sequence[str]],
    hospital: Mapping[str, float],
) -> RareTable:
    """The table of diseases; ``chinese``, ``findings``, ``wordings`` and ``hospital`` speak
    of term ids."""
    used = {t for disease in diseases for t in (*disease.rates, *disease.excluded)}
    used |= {t for terms in findings.values() for t in terms} | {*wordings}
    terms = sorted({line for t in used for line in ontology.with_ancestors(t)})
    numbers = {term: number for number, term in enumerate(terms)}
    lines = [tuple(numbers[a] for a in ontology.with_ancestors(term)) for term in terms]
    return RareTable(
        source=source,
        diseases=tuple(_shown(disease, numbers) for disease in diseases),
        phenotypes=tuple(
            Phenotype(term, ontology.terms[term].name, chinese.get(term, ""), line)
            for term, line in zip(terms, lines, strict=True)
        ),
        findings={
            name: tuple(sorted({numbers[t] for t in mapped if t in numbers}))
            for name, mapped in findings.items()
        },
        wordings={numbers[t]: tuple(words) for t, words in wordings.items() if t in numbers},
        hospital=np.array([hospital.get(term, 0.0) for term in terms], np.float32),
        **_arrays(diseases, numbers, lines),
    )


def _shown(disease: RareDisease, numbers: Mapping[str, int]) -> Disease:
    row = chinese_name(disease.name)
    return Disease(
        disease.name,
        tuple(sorted(disease.ids, key=lambda one: (not one.startswith("ORPHA"), one))),
        row.name if row else stem(disease.name),
        row.name if row else "",
        row.names if row else (),
        disease.onset,
        disease.x_linked,
        tuple(sorted(numbers[term] for term in disease.excluded if term in numbers)),
    )


def _arrays(
    diseases: Sequence[RareDisease], numbers: Mapping[str, int], lines: Sequence[Sequence[int]]
) -> dict[str, Any]:
    """Each annotation given to all that its phenotype is a kind of; of one pair of phenotype and
    disease the highest frequency."""
    told = [
        (row, numbers[term], round(STEPS * rate), disease.sexes[term])
        for row, disease in enumerate(diseases)
        for term, rate in disease.rates.items()
        if term in numbers
    ]
    counts = np.array([len(lines[term]) for _, term, _, _ in told], np.int64)
    row, term, rate, sex = (np.array(column, np.int64) for column in zip(*told, strict=True))
    above = np.concatenate([np.array(lines[t], np.int64) for t in term])
    row, own, rate, sex = (np.repeat(column, counts) for column in (row, term, rate, sex))
    order = np.lexsort((row, above))
    row, above, rate, sex, own = row[order], above[order], rate[order], sex[order], own[order]
    first = np.flatnonzero(np.r_[True, (np.diff(above) != 0) | (np.diff(row) != 0)])
    rates = np.maximum.reduceat(rate, first)
    sexes = np.bitwise_or.reduceat(sex, first)
    owned = np.logical_or.reduceat(own == above, first)
    row, above = row[first], above[first]
    share = np.bincount(above, rates, len(lines)) / STEPS / len(diseases)
    kept = share[above] <= COMMONEST
    starts = np.zeros(len(lines) + 1, np.int32)
    starts[1:] = np.cumsum(np.bincount(above[kept], minlength=len(lines)))
    return {
        "starts": starts,
        "rows": row[kept].astype(np.int32),
        "rates": rates[kept].astype(np.uint8),
        "sexes": sexes[kept].astype(np.uint8),
        "own": owned[kept],
    }
