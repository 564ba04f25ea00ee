"""Which events of a stay a text tells: compared by facts, not by how they are worded.

The text is read as the checker reads a record.  A drug is told by any name of it, a result by its
test and its value in any unit, everything else where the checker would take the text as support.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property

from assistant.course.event import CourseEvent, Value
from assistant.grounding.grounder import Grounder
from assistant.grounding.known_drugs import drug_names
from assistant.grounding.measuring import measured, tests_of
from assistant.grounding.segments import Segment, segment_note
from assistant.grounding.source import FindingsOf, Reading
from assistant.grounding.stance import stances
from assistant.grounding.wording import bigrams
from assistant.record.note import Note
from knowledge.text.drugs import DrugNames, generic_name, shipped_drug
from knowledge.text.finding import Finding
from knowledge.text.folding import fold

DRAFT = "draft"
_STOP = re.compile(r"停用|停药|停服|停止|已停|停了|停(?=[\u4e00-\u9fff]{2,8})|改用|改为|换用|换成|替换")
_NOT_GIVEN = frozenset({"refused", "planned", "thought", "undone", "allergy", "family"})
_DENIES = re.compile(r"未|无|没有|否认")
_NORMAL = re.compile(r"正常")
COVERAGE = 0.5


def _nothing(text: str, note_id: str) -> list[Finding]:
    return []


class DraftText:
    """A text that is to tell a stay, read once."""

    def __init__(
        self,
        text: str,
        *,
        findings_of: FindingsOf = _nothing,
        drugs: Sequence[str] = (),
    ) -> None:
        """``drugs`` are names that the record's tables have."""
        self.text = text
        self._names: DrugNames = drug_names(drugs)
        self._findings_of = findings_of
        note = Note.model_construct(id=DRAFT, kind="nursing", title="", text=text)
        self._segments: list[Segment] = segment_note(note)

    @cached_property
    def _grounder(self) -> Grounder:
        return Grounder(self._segments, findings_of=self._findings_of, drugs_of=self._names)

    @cached_property
    def _readings(self) -> list[Reading]:
        return [Reading(s.text, self._names, []) for s in self._segments]

    @cached_property
    def _drugs(self) -> list[tuple[str, bool, bool]]:
        """Each drug that is named: its name, whether it was given, whether it was stopped."""
        found = []
        for reading in self._readings:
            ended = {r.drug.start for r in reading.regimens if r.stopped or r.replaced}
            for mention in self._names.find(reading.text):
                clause = reading.clause_of(mention.start)
                meant = clause.own_stances if clause else frozenset()
                stopped = mention.start in ended or bool(clause and _STOP.search(clause.text))
                found.append((same(mention.name), not meant & _NOT_GIVEN, stopped))
        return found

    def tells(self, event: CourseEvent) -> bool:
        """Whether everything that the event asks for stands in the text."""
        return (
            all(self._has_drug(drug, event.stopped) for drug in event.drugs)
            and all(self._has_value(value) for value in event.values)
            and all(self._has_words(words) for words in event.words)
        )

    def _has_drug(self, drug: str, stopped: bool) -> bool:
        return any(
            is_drug(name, drug) and (ended if stopped else given)
            for name, given, ended in self._drugs
        )

    def _has_value(self, value: Value) -> bool:
        wanted = measured(f"{value.test}{value.written}")
        if not wanted:
            return plain(value.written) in plain(self.text) and self._names_test(value.test)
        for reading in self._readings:
            for told in reading.measured:
                if any(one.says_the_same(told) and one.is_of(told) for one in wanted):
                    return True
            if value.normal and any(
                _NORMAL.search(c.text) and _is_named(value.test, c.text) for c in reading.clauses
            ):
                return True
        return False

    def _names_test(self, test: str) -> bool:
        return _is_named(test, self.text)

    def _has_words(self, words: str) -> bool:
        if plain(words) in plain(self.text):
            return not self._is_turned(words)
        return self._grounder.ground("e", words, coverage=COVERAGE).status == "supported"

    def _is_turned(self, words: str) -> bool:
        """Whether the text has the words only as what is planned or denied."""
        wanted = plain(words)
        for reading in self._readings:
            clauses = [c for c in reading.clauses if wanted in plain(c.text)]
            meant = _NOT_GIVEN - stances(words)
            denied = _DENIES.search(words) is None
            if any(
                not c.own_stances & meant and not (denied and c.denies(words))
                for c in clauses
            ):
                return False
            if not clauses and wanted in plain(reading.text):
                return False
        return len(bigrams(words)) > 0 and any(wanted in plain(r.text) for r in self._readings)


def _is_named(test: str, text: str) -> bool:
    if test in text:
        return True
    concept = {m.concept for m in measured(f"{test}1")}
    return any(t.concept in concept for t in tests_of(text))


def plain(text: str) -> str:
    """Folded, without white space."""
    return re.sub(r"\s", "", fold(text))


def is_drug(one: str, other: str) -> bool:
    """Whether two names are of one drug: 培哚普利 is 培哚普利叔丁胺片."""
    mine, theirs = same(one), same(other)
    return mine in theirs or theirs in mine


def same(drug: str) -> str:
    """The name of a drug by which two wordings of it are one."""
    bare = generic_name(drug)
    return fold(shipped_drug(drug) or shipped_drug(bare) or bare)
