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
from assistant.grounding.measured import Measured
from assistant.grounding.measuring import measured, tests_of
from assistant.grounding.segments import Segment, segment_note
from assistant.grounding.source import Clause, FindingsOf, Reading
from assistant.grounding.stance import stances
from assistant.grounding.wording import bigrams
from assistant.record.note import Note
from knowledge.text.drugs import DrugNames, generic_name, shipped_drug
from knowledge.text.finding import Finding
from knowledge.text.folding import fold
from knowledge.text.quantity import quantities
from knowledge.text.term_table import shipped_test

DRAFT = "draft"
_STOP = re.compile(
    r"停用|停药|停服|停止|已停|停了|停(?=[\u4e00-\u9fff]{2,8})|改用|改为|换用|换成|替换"
)
_NOT_GIVEN = frozenset({"refused", "planned", "thought", "undone", "allergy", "family"})
_DENIES = re.compile(r"未|无|没有|否认")
_NORMAL = re.compile(r"正常")
_LATIN = re.compile(r"[A-Za-z][A-Za-z0-9]*[+-]?")
_NEAR = 16
"""Characters before a value in which its test may be named."""

_OPERATED = re.compile(r"(?:手术|术)?(?:[（(].*[)）])?$")
_AWAITED = re.compile(r"未回|待|未出|未报|尚|追踪|追查|领取|取|回报|关注|随访")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
COVERAGE = 0.5
MOST = 0.6
"""Share of the words that a loose event asks for."""


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
                # Its name is no word of the clause: 叔丁胺 is no uncle.
                said = clause.text.replace(mention.name, "药") if clause else ""
                held = stances(said)
                stopped = mention.start in ended or bool(clause and _STOP.search(clause.text))
                found.append((same(mention.name), not held & _NOT_GIVEN, stopped))
        return found

    def tells(self, event: CourseEvent) -> bool:
        """Whether everything that the event asks for stands in the text."""
        return (
            all(self._has_drug(drug, event.stopped) for drug in event.drugs)
            and all(self._has_dose(drug, event.dose) for drug in event.drugs)
            and all(self._has_value(value) for value in event.values)
            and self._has_all(event)
            and (
                not event.any_words
                or any(self._has_words(words, event.loose) for words in event.any_words)
            )
        )

    def _has_all(self, event: CourseEvent) -> bool:
        if event.kind == "consultation":
            return any(all(w in r.text for w in event.words) for r in self._readings)
        if event.kind == "transfusion":
            return any(
                "输" in c.text and all(w in c.text for w in event.words)
                and not (c.own_stances & _NOT_GIVEN or _DENIES.search(c.text))
                for r in self._readings
                for c in r.clauses
            )  # fmt: skip
        if event.kind == "pending_result":
            return all(self._is_awaited(words) for words in event.words)
        if event.kind == "operation" and not all(self._is_done(words) for words in event.words):
            return False
        return all(self._has_words(words, event.loose) for words in event.words)

    def _is_done(self, operation: str) -> bool:
        """Whether what was done stands there (置换 of 股骨头置换术), not its object alone."""
        act = _OPERATED.sub("", operation)[-2:]
        return act in self.text

    def _is_awaited(self, name: str) -> bool:
        """Whether a sentence says of most of the name that its result is to come."""
        wanted = bigrams(name)
        return any(
            len(wanted & r.bigrams) >= MOST * len(wanted) and _AWAITED.search(r.text)
            for r in self._readings
        )

    def _has_drug(self, drug: str, stopped: bool) -> bool:
        return any(
            is_drug(name, drug) and (ended if stopped else given)
            for name, given, ended in self._drugs
        )

    def _has_dose(self, drug: str, dose: str) -> bool:
        """Whether a sentence has the drug and the dose; one that cannot be read asks nothing."""
        wanted = quantities(dose)
        if not wanted:
            return True
        return any(
            wanted[0].same(told)
            for r in self._readings
            if any(is_drug(m.name, drug) for m in self._names.find(r.text))
            for told in quantities(r.text)
        )

    def _has_value(self, value: Value) -> bool:
        written = plain(value.test + value.written)
        at = self._plain.find(written)
        if at >= 0 and not self._plain[at + len(written) : at + len(written) + 1].isdigit():
            return True
        wanted = measured(f"{value.test} {value.written}")
        return any(_tells_value(value, wanted, reading) for reading in self._readings)

    def _has_words(self, words: str, loose: bool) -> bool:
        if plain(words) in self._plain and not self._is_turned(words):
            return True
        if loose and self._has_most(words):
            return True
        return self._grounder.ground("e", words, coverage=COVERAGE).status == "supported"

    @cached_property
    def _plain(self) -> str:
        return plain(self.text)

    def _has_most(self, words: str) -> bool:
        """Whether a sentence has most of the words, and all their numbers."""
        wanted, numbers = bigrams(words), set(_NUMBER.findall(fold(words)))
        opposite = _NOT_GIVEN - stances(words)
        denied, beside = _DENIES.search(words) is not None, _sides(words)
        for reading in self._readings:
            if len(wanted & reading.bigrams) < MOST * len(wanted) or not wanted:
                continue
            if not numbers <= set(_NUMBER.findall(fold(reading.text))):
                continue
            if beside and not beside & _sides(reading.text):
                continue
            near = [c for c in reading.clauses if wanted & c.bigrams]
            if any(c.own_stances & opposite for c in near):
                continue
            if denied == any(_DENIES.search(c.text) and _shares(c, wanted) for c in near):
                return True
        return False

    def _is_turned(self, words: str) -> bool:
        """Whether the text has the words only as what is planned or denied."""
        wanted = plain(words)
        for reading in self._readings:
            clauses = [c for c in reading.clauses if wanted in plain(c.text)]
            opposite = _NOT_GIVEN - stances(words)
            denied = _DENIES.search(words) is None
            if any(
                not c.own_stances & opposite and not (denied and c.denies(words)) for c in clauses
            ):
                return False
            if not clauses and wanted in plain(reading.text):
                return False
        return len(bigrams(words)) > 0 and any(wanted in plain(r.text) for r in self._readings)


def _sides(text: str) -> set[str]:
    return set(re.findall(r"[左右双]", text))


def _shares(clause: Clause, wanted: set[str]) -> bool:
    """Whether a clause has a good part of the words, so that what it denies is of them."""
    return 2 * len(wanted & clause.bigrams) >= len(wanted)


def _tells_value(value: Value, wanted: Sequence[Measured], reading: Reading) -> bool:
    """Whether a sentence tells the value of this test, in any unit, or calls it normal where it
    is."""
    for told in reading.measured:
        if any(one.says_the_same(told) and one.is_of(told) for one in wanted if one.concept):
            return True
        # A test that no list has, or that stands a little apart: named in the same clause.
        clause = reading.clause_of(told.quantity.start)
        # With the number, since some names are names of tests only before one (K+ 3.9).
        near = reading.text[max(0, told.quantity.start - _NEAR) : told.quantity.end]
        known = any(one.concept and told.concept not in ("", one.concept) for one in wanted)
        if clause is None or known or not _is_named(value.test, near):
            continue
        if any(one.quantity.same(told.quantity) for one in wanted):
            return True
    if not any(one.concept for one in wanted) and plain(value.written) in plain(reading.text):
        return _is_named(value.test, reading.text)
    return value.normal and any(
        _NORMAL.search(c.text) and _is_named(value.test, c.text) for c in reading.clauses
    )


def _is_named(test: str, text: str) -> bool:
    if test in text:
        return True
    concept = {m.concept for m in measured(f"{test}1")}
    named = {t.concept for t in tests_of(text)} | {shipped_test(w) for w in _LATIN.findall(text)}
    return bool(named & concept)


def plain(text: str) -> str:
    """Folded, without white space."""
    return re.sub(r"\s", "", fold(text))


def is_drug(one: str, other: str) -> bool:
    """Whether two names are of one drug: 培哚普利 is 培哚普利叔丁胺片."""
    mine, theirs = same(one), same(other)
    # What is behind a name is its salt; what is before it makes another drug (肝素, 依诺肝素).
    return mine.startswith(theirs) or theirs.startswith(mine)


def same(drug: str) -> str:
    """The name of a drug by which two wordings of it are one."""
    bare = generic_name(drug)
    return fold(shipped_drug(drug) or shipped_drug(bare) or bare)
