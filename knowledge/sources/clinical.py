"""The curated base as a source: facts for the graph, and one passage an entry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

from knowledge.clinical.customary import with_customary_names
from knowledge.clinical.entry import Entry, entry_files, read_entries
from knowledge.clinical.vocabulary import analyte_files, finding_files, shipped_folder
from knowledge.sources.fact import Fact, Passage, Relation, Source, SourceError, file_digest

NAME = "临床知识库"


class ClinicalEntries:
    """Entries of the folders of a curated base; of one name the last folder's counts.

    The base that ships is the first folder; a hospital's own are the others.
    """

    def __init__(self, folders: Sequence[Path] = ()) -> None:
        self.folders = [shipped_folder(), *folders]

    @cached_property
    def source(self) -> Source:
        """Provenance; the version follows the content of every file."""
        paths = [path for folder in self.folders for path in _all_files(folder)]
        return Source(NAME, file_digest(paths)[:16], "Apache-2.0")

    @cached_property
    def entries(self) -> list[Entry]:
        """The entries.

        Raises:
            SourceError: a file cannot be read; the message names it and the first faults.
        """
        merged: dict[str, Entry] = {}
        for folder in self.folders:
            entries, faults = read_entries(entry_files(folder))
            if faults:
                said = "; ".join(str(fault) for fault in faults[:3])
                raise SourceError(f"The curated base in {folder} has faults: {said}")
            merged.update((entry.name, entry) for entry in entries)
        return with_customary_names(list(merged.values()))

    def facts(self) -> Iterator[Fact]:
        """What the entries say, as facts of the graph."""
        for entry in self.entries:
            for relation, values in _relations(entry):
                for value in values:
                    yield Fact(entry.name, relation, value, self.source, entry.name)

    def passages(self) -> Iterator[Passage]:
        """One passage an entry."""
        for entry in self.entries:
            yield Passage(
                id=passage_id(entry),
                subject=entry.name,
                title=entry.name,
                text=entry_text(entry),
                source=source_of(entry),
                version=self.source.version,
                key=entry.name,
                kind="disease",
            )


def source_of(entry: Entry) -> str:
    """What an entry is cited as: who reads it must see whether a clinician has."""
    status = f"{entry.review.by}审阅" if entry.review.status == "reviewed" else "未经临床审阅"
    return f"{NAME}（{status}）"


def passage_id(entry: Entry) -> str:
    """The id under which an entry is cited."""
    return f"clinical-{entry.name}"


def _all_files(folder: Path) -> list[Path]:
    return [*entry_files(folder), *finding_files(folder), *analyte_files(folder)]


def _relations(entry: Entry) -> Iterator[tuple[Relation, Sequence[str]]]:
    # Findings are no facts of the graph: they are ranked by their own frequencies.
    yield Relation.ALIAS, entry.names
    yield Relation.ICD10, entry.icd10
    yield Relation.DEPARTMENT, entry.departments
    yield Relation.TEST, entry.confirm
    yield Relation.DIFFERENTIAL, tuple(entry.differentials)
    yield Relation.TREATMENT, entry.management


def _by_frequency(entry: Entry, part: str) -> list[str]:
    weights = getattr(entry, part)
    return sorted(weights, key=lambda name: (-weights[name].frequency, -weights[name].evoking))


_FREQUENCY = {5: "几乎均有", 4: "多数有", 3: "约半数有", 2: "少数有", 1: "偶有"}
_PARTS = (("symptoms", "症状"), ("signs", "体征"), ("tests", "检查结果"), ("history", "病史与诱因"))
_SEX = {
    "male": "仅见于男性", "female": "仅见于女性", "mostly male": "男性多见",
    "mostly female": "女性多见",
}  # fmt: skip


def entry_text(entry: Entry) -> str:
    """The passage of an entry, in Chinese sentences made from its fields."""
    lines = [_headline(entry)]
    for part, label in _PARTS:
        if said := _told(entry, part):
            lines.append(f"{label}：{said}。")
    if entry.confirm:
        lines.append(f"确诊检查：{'、'.join(entry.confirm)}。")
    lines += [f"与{name}鉴别：{text.rstrip('。')}。" for name, text in entry.differentials.items()]
    if entry.management:
        lines.append(f"治疗原则：{'；'.join(text.rstrip('。') for text in entry.management)}。")
    lines += [f"{key}：{text.rstrip('。')}。" for key, text in entry.cautions.items()]
    if entry.red_flags:
        lines.append(f"危险信号：{entry.red_flags.rstrip('。')}。")
    if entry.exclude:
        lines.append(f"排除依据：{entry.exclude.rstrip('。')}。")
    reviewed = entry.review.status == "reviewed"
    lines.append(
        f"出处：{'、'.join(entry.sources)}；"
        + (f"{entry.review.by}审阅于{entry.review.on}。" if reviewed else "未经临床审阅。")
    )
    return "\n".join(lines)


def _headline(entry: Entry) -> str:
    parts = [entry.name]
    if entry.names:
        parts.append(f"又名{'、'.join(entry.names[:6])}")
    if entry.icd10:
        parts.append(f"ICD-10 {'、'.join(entry.icd10)}")
    if entry.departments:
        parts.append(f"就诊科室{'、'.join(entry.departments)}")
    if entry.sex in _SEX:
        parts.append(_SEX[entry.sex])
    return "，".join(parts) + "。"


def _told(entry: Entry, part: str) -> str:
    """The findings of one part by how frequent they are: 多数有胸痛、大汗；少数有上腹痛."""
    weights = getattr(entry, part)
    groups: list[str] = []
    for frequency, words in _FREQUENCY.items():
        names = [
            name for name in _by_frequency(entry, part) if weights[name].frequency == frequency
        ]
        if names:
            groups.append(words + "、".join(names))
    return "；".join(groups)
