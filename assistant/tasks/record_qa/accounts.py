"""Whether an answer accounts for every word of its question.

A route takes a question by some of its words. The others may name another thing: another time, an
exception, a second subject. Each word must be read into a slot that the kind uses, be a word of
the route, name nothing, or stand in the answer or its places; else the answer may be one to
another question than the one asked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from assistant.calculators.catalogue import named
from assistant.record.evidence import TextSpan
from assistant.tasks.record_qa.asked import Asked
from assistant.tasks.record_qa.draft import RecordAnswer
from assistant.tasks.record_qa.drugs import classes
from assistant.tasks.record_qa.routing import routes
from assistant.tasks.record_qa.tests import table, wordings
from knowledge.text.folding import fold
from knowledge.text.synonyms import TermKind
from knowledge.text.terms import find_terms

RESULTS = frozenset(
    [
        "trend",
        "highest",
        "lowest",
        "latest",
        "first",
        "previous",
        "nth",
        "on_day",
        "change",
        "normal",
    ]
)
"""Kinds that answer with the values of a test."""

_FINDINGS = frozenset({TermKind.SYMPTOM, TermKind.SIGN, TermKind.DISEASE, TermKind.PROCEDURE})
_DRUGS = frozenset({TermKind.DRUG})
_TESTS = frozenset({TermKind.TEST})
_ALL = _FINDINGS | _DRUGS | _TESTS | {TermKind.IMAGING}
_USED: dict[str, frozenset[TermKind]] = {
    **dict.fromkeys(RESULTS, _TESTS | _FINDINGS),
    "pending": _TESTS | {TermKind.IMAGING},
    **dict.fromkeys(("drug", "drugs", "drug_on"), _DRUGS),
    "caution": _DRUGS | _TESTS | _FINDINGS,
    "calculation": _TESTS | _FINDINGS,
    "allergy": _DRUGS,
    "reason": _ALL,
    "mention": _FINDINGS,
    "ruled_out": _FINDINGS,
    "imaging": frozenset({TermKind.IMAGING}),
}
_RUN = re.compile(r"[a-z0-9.+-]{2,}|[\u4e00-\u9fff]+")
_DATE = re.compile(r"\d{1,4}[-/.年月]\d{1,2}(?:[-/.月]\d{1,2})?[日号]?")
_ECHOED = 0.6
"""Share of a run of words that must stand in the answer."""


@dataclass(frozen=True, slots=True)
class Qualifier:
    """What narrows a question, and the kinds that can answer it so narrowed."""

    name: str
    words: re.Pattern[str]
    kinds: frozenset[str]
    example: str


@cache
def qualifiers() -> tuple[Qualifier, ...]:
    """The table of qualifiers."""
    return tuple(
        Qualifier(name, re.compile(words), frozenset(kinds.split("|")), example)
        for name, words, kinds, example in table("qualifiers.tsv")
    )


def narrowed(folded: str) -> list[Qualifier]:
    """The qualifiers of a question."""
    return [one for one in qualifiers() if one.words.search(folded)]


def left_over(asked: Asked, answer: RecordAnswer) -> list[str]:
    """The words of a question that its answer does not account for; none where all are."""
    text = asked.folded
    body = _body(answer)
    unanswered = [
        hit[0]
        for one in narrowed(text)
        if not _answers(asked, one) and (hit := one.words.search(text)) and hit[0] not in body
    ]
    if asked.kind == "reason" and answer.outcome == "not_recorded":
        # That the record does not say why is no answer to another question.
        return unanswered
    unread = _without_slots(asked, _without_route(asked, text))
    runs = (run for run in named_in(unread) if not stands_in(run, body))
    return list(dict.fromkeys([*unanswered, *runs]))


def _answers(asked: Asked, one: Qualifier) -> bool:
    """Whether the kind answers a question so narrowed; the values of a test before or after any
    event whose time the record tells."""
    if one.name == "event" and asked.period is not None and asked.kind in RESULTS:
        return True
    return asked.kind in one.kinds


def named_in(text: str) -> list[str]:
    """The runs of words that name something, of a folded text."""
    rest = _filler().sub(" ", text)
    return [run for run in _RUN.findall(rest) if len(run) > 1]


@cache
def _filler() -> re.Pattern[str]:
    rows = [r[0] for name in ("asking_words.tsv", "fillers.tsv") for r in table(name)]
    return re.compile("|".join(sorted(rows, key=len, reverse=True)))


def _blank(text: str, start: int, end: int) -> str:
    return text[:start] + " " * (end - start) + text[end:]


def _without_route(asked: Asked, text: str) -> str:
    """The text without the words by which the kind was chosen."""
    for route in routes():
        if route.kind == asked.kind and route.words.pattern != ".":
            for hit in route.words.finditer(asked.folded):
                text = _blank(text, *hit.span())
    return text


def _without_slots(asked: Asked, text: str) -> str:
    """The text without what the kind reads."""
    folded = asked.folded
    used = _USED.get(asked.kind, frozenset())
    spans = [(m.start, m.end) for m in find_terms(folded) if m.kind in used]
    if used & _TESTS:
        spans += [h.span() for pattern, _, _ in wordings() for h in pattern.finditer(folded)]
        spans += _places(asked.tests, folded)
    if used & _DRUGS:
        spans += _places((*asked.drugs, *asked.allergens), folded)
        spans += [h.span() for one in classes() for h in one.asked.finditer(folded)]
    if used & _FINDINGS:
        spans += _places(asked.terms, folded)
        spans += [
            h.span()
            for words, term, _ in table("lay_terms.tsv")
            if term in asked.terms
            for h in re.finditer(words, folded)
        ]
    if asked.kind == "history":
        spans += [
            h.span()
            for name, words, _ in table("sections.tsv")
            if name == asked.section
            for h in re.finditer(words, folded)
        ]
    if asked.kind in ("signer", "note"):
        spans += [h.span() for row in table("note_words.tsv") for h in re.finditer(row[0], folded)]
    if asked.kind == "calculation":
        words = {fold(word) for one in named(folded) for word in one.wordings}
        spans += [h.span() for word in words for h in re.finditer(re.escape(word), folded)]
    if asked.kind == "imaging":
        spans += _places(asked.imaging, folded)
    if asked.day is not None and asked.kind in RESULTS | {"drug", "drugs", "drug_on", "signer"}:
        spans += [h.span() for h in _DATE.finditer(folded)]
    if asked.period is not None and asked.kind in RESULTS | {"mention"}:
        at = folded.find(asked.period.event)
        spans.append((at, at + len(asked.period.words)))
    # A relative who is not asked about is the patient, or only asks.
    spans += [h.span() for row in table("relatives.tsv") for h in re.finditer(row[1], folded)]
    for start, end in spans:
        text = _blank(text, start, end)
    return text


def _places(names: tuple[str, ...], folded: str) -> list[tuple[int, int]]:
    """Where the names stand, or the longest part of each."""
    found = []
    for name in map(fold, names):
        longest = max(
            (name[a:b] for a in range(len(name)) for b in range(a + 2, len(name) + 1)
             if name[a:b] in folded),
            key=len, default="",
        )  # fmt: skip
        if longest:
            at = folded.find(longest)
            found.append((at, at + len(longest)))
    return found


def _body(answer: RecordAnswer) -> str:
    """All that an answer shows, with the places of its sentences, folded."""
    places = [e for s in answer.statements for e in s.evidence]
    return fold(" ".join([
        *(s.text for s in answer.statements),
        *(e.quote for e in places if isinstance(e, TextSpan)),
        *(" ".join(row.cells) for t in answer.tables for row in t.rows),
    ]))  # fmt: skip


def stands_in(run: str, body: str, share: float = _ECHOED) -> bool:
    """Whether a run of words stands in a text, as it is, as notes write it, or in such a share of
    its parts."""
    if run in body:
        return True
    for words, written, _ in table("everyday_words.tsv"):
        if re.search(words, run) and re.search(written, body):
            return True
    concepts = {m.concept for m in find_terms(run) if m.kind in _ALL}
    if concepts and concepts <= {m.concept for m in find_terms(body)}:
        return True
    held = at = 0
    while at + 2 <= len(run):
        end = next((e for e in range(len(run), at + 1, -1) if run[at:e] in body), 0)
        held, at = (held + end - at, end) if end else (held, at + 1)
    # 蛋白 is no answer to 铁蛋白.
    return len(run) > 3 and held >= share * len(run)
