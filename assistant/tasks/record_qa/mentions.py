"""Where the record mentions something, and how it is meant there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from assistant.grounding.segments import Scope
from assistant.grounding.stance import stances
from assistant.record.evidence import TextSpan
from assistant.tasks.record_qa.reading import NoteReading, RecordReading
from knowledge.text.assertion.status import Assertion
from knowledge.text.finding import Certainty, Experiencer, Polarity, Temporality
from knowledge.text.folding import fold
from knowledge.text.lexicon import Match
from knowledge.text.synonyms import TermKind
from knowledge.text.terms import find_terms

STATUS_ZH = {
    "present": "有",
    "denied": "否认",
    "uncertain": "不确定",
    "past": "既往有",
    "family": "家属或他人",
    "hypothetical": "仅为计划、预防或告知",
    "named": "提到（是否已做请看原文）",
}


@dataclass(frozen=True, slots=True)
class Mention:
    """One place: ``words`` as the note has them, ``place`` the sentence around them."""

    note: NoteReading
    words: str
    status: str
    place: TextSpan


@lru_cache(maxsize=512)
def concepts_of(term: str) -> tuple[str, ...]:
    """The concepts that a term names as a whole."""
    folded = fold(term)
    return tuple(
        dict.fromkeys(m.concept for m in find_terms(term) if m.end - m.start == len(folded))
    )


_DRESSED = re.compile(r"[病症史]|\d*级.*|[Ⅰ-Ⅹ\d]*[期型].*|（.*|性.{0,4}")


def mentions(reading: RecordReading, term: str) -> list[Mention]:
    """Every place of the notes that speaks of ``term``, in their order."""
    return [one for note in reading.notes for one in _of_note(note, term)]


def _of_note(note: NoteReading, term: str) -> Iterator[Mention]:
    concepts = set(concepts_of(term))
    folded, wanted = note.document.folded, fold(term)
    literals = {wanted, *(fold(c) for c in concepts)}
    extra: list[Match] = []
    at = folded.find(wanted)
    while at >= 0 and len(wanted) >= 2:
        end = at + len(wanted)
        holds = [m for m in note.terms if m.start <= at and end <= m.end and m.kind in _FINDINGS]
        if not holds:
            extra.append(Match(at, end, term, TermKind.DISEASE))
        at = folded.find(wanted, end)
    seen: set[tuple[int, int]] = set()
    for meant in note.meant(extra):
        match = meant.match
        words = folded[match.start : match.end]
        same = match.concept in concepts or match.concept == term or words == wanted
        if not same and not any(word in words for word in literals):
            continue
        status = status_of(meant.said)
        # 未见糖尿病视网膜病变 denies no diabetes; somebody who has it has diabetes.
        if not (same or any(_is_it(words, w) for w in literals) or status in ("present", "past")):
            continue
        if (match.start, match.end) in seen:
            continue
        seen.add((match.start, match.end))
        if status == "present" and match.kind is TermKind.PROCEDURE:
            status = _done(note, match)
        if status in ("present", "named") and note.scope(match.start) is Scope.PRIOR:
            status = "past" if status == "present" and _before(note, match.start) else status
        yield Mention(note, note.text[match.start : match.end], status, note.sentence(match.start))


_DONE = re.compile(
    r"已行|行了|已予|给予|予以?|输注|完成|术后|顺利|术中|行[^，。；]{0,12}$|施行|接受"
)


def _done(note: NoteReading, match: Match) -> str:
    """Whether a procedure was done, as its clause says it: named alone it need not be."""
    sentence = note.sentence(match.start)
    edges = [sentence.start + h.end() for h in re.finditer(r"[，,]", sentence.quote)]
    start = max((edge for edge in edges if edge <= match.start), default=sentence.start)
    end = min((edge - 1 for edge in edges if edge > match.start), default=sentence.end)
    clause = note.text[start:end]
    held = stances(clause)
    if held & {"refused", "undone"}:
        return "denied"
    if held & {"planned", "thought"} or re.search(r"拟|计划|必要时|备血|建议|待", clause):
        return "hypothetical"
    return "present" if _DONE.search(clause) else "named"


_FINDINGS = frozenset({TermKind.SYMPTOM, TermKind.SIGN, TermKind.DISEASE, TermKind.PROCEDURE})
_EARLIER = re.compile(r"既往|曾|年前|(?:19|20)\d\d年|外院|病史|上次|前次")


def _before(note: NoteReading, at: int) -> bool:
    found = note.segment(at)
    return found is not None and (
        found.section in ("既往史", "手术史", "外伤史") or _EARLIER.search(found.text) is not None
    )


def _is_it(words: str, wanted: str) -> bool:
    """Whether a longer term is the wanted one with its kind or grade: 2型糖尿病, 高血压病2级."""
    if words.endswith(wanted):
        return True
    rest = words[len(wanted) :] if words.startswith(wanted) else ""
    return bool(rest) and _DRESSED.fullmatch(rest) is not None


def status_of(said: Assertion) -> str:
    """The one word for an assertion; who has it counts first."""
    if said.experiencer is not Experiencer.PATIENT:
        return "family"
    if said.temporality is Temporality.HYPOTHETICAL:
        return "hypothetical"
    if said.polarity is Polarity.ABSENT:
        return "denied"
    if said.certainty is Certainty.UNCERTAIN:
        return "uncertain"
    return "past" if said.temporality is Temporality.PAST else "present"
