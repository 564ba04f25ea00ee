"""A discharge record → the same advice for the patient, each line checked against the record."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

from assistant.draft import Statement
from assistant.grounding.grounder import Grounder
from assistant.grounding.known_drugs import drug_names
from assistant.grounding.segments import Scope, Segment
from assistant.record.encounter import Encounter
from assistant.record.medication import Medication
from assistant.tasks.patient_version.advice import part_of, pieces
from assistant.tasks.patient_version.draft import PART_ZH, Part, PartName, PatientVersion
from assistant.tasks.patient_version.lay import Wording, explain, pairs, plain
from assistant.tasks.patient_version.printed import printed
from assistant.tasks.patient_version.reading_level import level
from assistant.tasks.patient_version.source import Source, read_source
from knowledge.text.extraction import FindingExtractor
from knowledge.text.terms import load_findings

_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_CODE = re.compile(r"（[A-Z]\d{2}[^（）]*）")
_LEAD = re.compile(r"^\s*\d{1,2}[.、]\s*")
_LATER = re.compile(r"^待回报结果：\s*")


def written(encounter: Encounter, record: str = "") -> PatientVersion:
    """The draft; what the record does not say is named in the warnings and never made up."""
    started = time.perf_counter()
    source = read_source(encounter, record)
    writer = _Writer(encounter, source)
    parts = writer.parts()
    draft = PatientVersion(parts=parts, warnings=_missing(parts))
    originals = [s.text for s in (*source.diagnoses, *source.orders, *(d for _, d in source.drugs))]
    draft.before = level((_LEAD.sub("", text) for text in originals), explained=False)
    draft.level = level((s.text for s in draft.all_statements()), explained=True)
    kept = [s.text for s in draft.all_statements() if s.status == "unsupported"]
    if kept:
        draft.warnings.append(f"有 {len(kept)} 句未能核对，请医师逐句确认。")
    draft.html = printed(draft, encounter)
    draft.seconds = time.perf_counter() - started
    return draft


def _missing(parts: Sequence[Part]) -> list[str]:
    there = {part.name for part in parts}
    words: dict[PartName, str] = {
        "drugs": "出院带药",
        "visits": "复诊安排",
        "alarms": "何种情况须立即就医",
    }
    lacking = [word for name, word in words.items() if name not in there]
    return (
        [f"出院记录没有写：{'、'.join(lacking)}。患者版不作补充，请医师告知患者。"]
        if lacking
        else []
    )


class _Writer:
    """Writes the lines of one record."""

    def __init__(self, encounter: Encounter, source: Source) -> None:
        self._source = source
        self._explained: set[str] = set()
        self._found: dict[PartName, list[Statement]] = {name: [] for name in PART_ZH}
        self._drugs = drug_names(m.name for m in encounter.medications)
        self._findings = FindingExtractor(load_findings()).extract
        self._encounter = encounter

    def parts(self) -> list[Part]:
        """The parts that have a line, in their order."""
        for diagnosis in self._source.diagnoses:
            name = _CODE.sub("", _LEAD.sub("", diagnosis.text)).strip(" 。")
            self._add("diagnoses", Wording(name, explain(name, self._explained)), diagnosis, name)
        for row, order in self._source.drugs:
            self._add_drug(row, order)
        for order in self._source.orders:
            text = _LEAD.sub("", order.text)
            if _LATER.match(text):
                self._add_pending(_LATER.sub("", text).strip(" 。"), order)
                continue
            for piece in pieces(text):
                wording = plain(piece, self._explained)
                self._add(part_of(piece), wording, order, piece)
        return [
            Part(name=name, title=title, statements=self._found[name])
            for name, title in PART_ZH.items()
            if self._found[name]
        ]

    def _add_pending(self, name: str, order: Statement) -> None:
        pending = "".join(s.text for s in self._found["pending"])
        if name.split("（")[0] not in pending:
            self._add("pending", Wording(name, explain(name, self._explained)), order, name)

    def _add(self, part: PartName, wording: Wording, source: Statement, original: str) -> None:
        """One line: in plain words unless the checker finds more amiss with them than with the
        record's own, or a number differs; then as it is written."""
        own = self._checked(original, source)
        said = self._checked(wording.bare, source) if wording.bare != original else own
        new = {p.kind for p in said.problems} - {p.kind for p in own.problems}
        shown = wording.shown
        if new or not _same_numbers(wording.bare, original):
            said, shown = own, explain(original, self._explained)
        self._put(part, shown, said, original, source)

    def _add_drug(self, row: Medication, order: Statement) -> None:
        """A drug's line.  The row as written is checked; its plain form must have every number of
        it but those of the specification, and no other."""
        original = _as_written(row, order.text)
        less = original.replace(row.specification, "", 1) if row.specification else original
        shown = _drug(row, original)
        if not _same_numbers(shown, less):
            shown = original
        self._put("drugs", shown, self._checked(original, order), original, order)

    def _put(
        self, part: PartName, shown: str, said: Statement, original: str, source: Statement
    ) -> None:
        """What is word for word of the record claims nothing of its own: a condition (如…就诊) is
        no finding, though the checker takes it for one."""
        if _is_of(original, source.text):
            said = said.model_copy(update={"status": "supported", "problems": []})
        count = sum(len(found) for found in self._found.values())
        self._found[part].append(
            said.model_copy(update={"id": f"p-{count + 1}", "text": f"{shown}。"})
        )

    def _checked(self, text: str, source: Statement) -> Statement:
        """``text`` against the one statement of the record that it is made from."""
        segment = Segment("source", 0, len(source.text), source.text, "", Scope.STAY)
        grounder = Grounder(
            [segment],
            findings_of=self._findings,
            drugs_of=self._drugs,
            patient_names=[self._encounter.patient.name],
            patient_sex=self._encounter.patient.sex,
        )
        said = grounder.ground("p", f"{text}。")
        return said.model_copy(update={"evidence": list(source.evidence), "origin": "record"})


def _is_of(text: str, source: str) -> bool:
    """Whether every part of ``text`` stands in ``source``, in this order."""
    at = 0
    for part in re.split(r"[，：\s]+", text):
        at = source.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return True


def _same_numbers(text: str, original: str) -> bool:
    """Whether the line has the numbers of what it is made from, no more and no fewer."""
    return sorted(_NUMBER.findall(text)) == sorted(_NUMBER.findall(original))


def _as_written(row: Medication, source: str) -> str:
    """The row from its name on, as the record has it."""
    at = source.find(row.name)
    return source[at:].strip(" 。") if at >= 0 else source


def _drug(row: Medication, original: str) -> str:
    """A drug: the row with how and how often it is taken in plain words, all else as written."""
    text = original.removeprefix(row.name).strip()
    if row.specification:
        text = text.replace(row.specification, "", 1).strip()
    for name, written_so in (("routes.tsv", row.route), ("frequencies.tsv", row.frequency)):
        if written_so:
            text = text.replace(written_so, pairs(name).get(written_so, written_so), 1)
    said = "，".join(text.split(" ")).replace("，至，", " 至 ")
    return f"{row.name}：{said}" if said else row.name
