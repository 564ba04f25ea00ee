"""The findings that entries are told by: one vocabulary, read from ``findings/*.tsv``.

A result such as 肌钙蛋白升高 needs no row: it is an analyte of ``analytes.tsv`` and a direction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Final, Literal, get_args

from knowledge.clinical.wording import Wording, WordingError, parse_wording
from knowledge.text.folding import fold

Kind = Literal[
    "symptom", "sign", "imaging", "ecg", "endoscopy", "pathology", "laboratory", "microbiology",
    "function", "history", "exposure", "course",
]  # fmt: skip
AnalyteKind = Literal["quantity", "qualitative", "vital"]
"""A vital sign's short names (T, P, R) count only before a number with its unit."""

KINDS: Final[frozenset[str]] = frozenset(get_args(Kind))
RESULTS: Final = ("升高", "降低", "阳性", "阴性")
"""What an entry may say of an analyte."""


@dataclass(frozen=True, slots=True)
class ClinicalFinding:
    """A row: a finding, its wordings, and the names of the findings that it is a kind of."""

    name: str
    kind: Kind
    wordings: tuple[Wording, ...]
    broader: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Analyte:
    """What a laboratory measures, with its other names."""

    name: str
    names: tuple[str, ...]
    kind: AnalyteKind


@dataclass(frozen=True)
class Vocabulary:
    """All findings by name, all analytes by name; ``faults`` says what could not be read."""

    findings: Mapping[str, ClinicalFinding]
    analytes: Mapping[str, Analyte]
    faults: tuple[str, ...] = field(default=())

    def analyte_of(self, finding: str) -> tuple[Analyte, str] | None:
        """The analyte and the result that a finding names (肌钙蛋白升高), if it does."""
        for result in RESULTS:
            analyte = self.analytes.get(finding.removesuffix(result))
            if finding.endswith(result) and analyte is not None:
                return analyte, result
        return None

    def kind(self, finding: str) -> Kind | None:
        """The kind of a finding; None when there is no such finding."""
        row = self.findings.get(finding)
        if row is not None:
            return row.kind
        return "laboratory" if self.analyte_of(finding) else None

    @cached_property
    def _ancestors(self) -> dict[str, tuple[str, ...]]:
        return {name: tuple(_above(name, self.findings)) for name in self.findings}

    def ancestors(self, finding: str) -> tuple[str, ...]:
        """What ``finding`` is a kind of, the nearest first; a cycle is walked once."""
        return self._ancestors.get(finding, ())


def _above(name: str, findings: Mapping[str, ClinicalFinding]) -> Iterator[str]:
    seen, level = {name}, [name]
    while level:
        above = [b for one in level if one in findings for b in findings[one].broader]
        level = [b for b in dict.fromkeys(above) if b not in seen]
        seen.update(level)
        yield from level


def read_vocabulary(folders: Iterable[Path]) -> Vocabulary:
    """The vocabulary of ``findings/*.tsv``, ``analytes.tsv`` and ``analytes/*.tsv`` of folders.

    The first row of a name gives its kind; later ones add wordings.  What cannot be read is told
    in ``faults``, and the rest is used.
    """
    findings: dict[str, ClinicalFinding] = {}
    analytes: dict[str, Analyte] = {}
    faults: list[str] = []
    for folder in folders:
        for path in finding_files(folder):
            for place, cells in _rows(path):
                _add_finding(findings, place, cells, faults)
        for path in analyte_files(folder):
            for place, cells in _rows(path):
                _add_analyte(analytes, place, cells, faults)
    for finding in findings.values():
        faults += [
            f"{finding.name}: the broader finding {broader} has no row"
            for broader in finding.broader
            if broader not in findings
        ]
    return Vocabulary(findings, analytes, tuple(faults))


def finding_files(folder: Path) -> list[Path]:
    """The tables of findings under a folder of a base."""
    return sorted((folder / "findings").glob("*.tsv"))


def analyte_files(folder: Path) -> list[Path]:
    """The tables of analytes under a folder of a base."""
    tables = [folder / "analytes.tsv", *sorted((folder / "analytes").glob("*.tsv"))]
    return [table for table in tables if table.exists()]


def _rows(path: Path) -> Iterator[tuple[str, list[str]]]:
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith("#"):
            yield f"{path.name}:{number}", [cell.strip() for cell in line.split("\t")]


def _add_finding(
    findings: dict[str, ClinicalFinding], place: str, cells: list[str], faults: list[str]
) -> None:
    name, kind, written, above = [*cells, "", "", ""][:4]
    if kind not in KINDS:
        faults.append(f"{place}: {name} is of the unknown kind {kind!r}")
        return
    wordings = []
    for wording in (name, *(w for w in written.split("|") if w.strip())):
        try:
            wordings.append(parse_wording(wording))
        except WordingError as error:
            faults.append(f"{place}: {error}")
    broader = tuple(b for b in above.replace("|", "、").split("、") if b and b != name)
    earlier = findings.get(name)
    if earlier is not None:
        wordings = [*earlier.wordings, *wordings]
        broader = (*earlier.broader, *broader)
        kind = earlier.kind
    findings[name] = ClinicalFinding(
        name,
        kind,  # type: ignore[arg-type]  # checked above
        tuple(dict.fromkeys(wordings)),
        tuple(dict.fromkeys(broader)),
    )


def _add_analyte(
    analytes: dict[str, Analyte], place: str, cells: list[str], faults: list[str]
) -> None:
    name, others, kind = [*cells, "", ""][:3]
    if kind not in get_args(AnalyteKind):
        faults.append(f"{place}: {name} is of the unknown kind {kind!r}")
        return
    names = tuple(dict.fromkeys(fold(n) for n in (name, *others.split("|")) if n.strip()))
    earlier = analytes.get(name)
    if earlier is not None:
        names = tuple(dict.fromkeys((*earlier.names, *names)))
    analytes[name] = Analyte(name, names, kind)  # type: ignore[arg-type]  # checked above


def shipped_folder() -> Path:
    """The folder of the base that ships with the product."""
    return Path(str(files("knowledge.clinical")))


@lru_cache(maxsize=1)
def vocabulary() -> Vocabulary:
    """The vocabulary that ships with the product."""
    return read_vocabulary([shipped_folder()])
