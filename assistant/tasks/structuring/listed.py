"""Findings that no list knows, found by where they stand: among what is denied, doubted, or marked.

无红肿、瘘管 names two findings whatever a lexicon has; Hoffmann征(+) and 转移可疑 name one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from assistant.tasks.structuring.span import EntityType, TypedSpan
from knowledge.text.assertion.marks import Cue, Cues, Terms, find_cues
from knowledge.text.document import Document, Range
from knowledge.text.phrases import phrases_of
from knowledge.text.synonyms import TermKind

_SCORE = 0.5
_ITEM = re.compile(r"[^、,，､。;:：!?()（）\[\]【】\"“”\s/+]+")
_JOINS = re.compile(r"以及|或者|还有|[及和与或并伴]")
_PHRASES = phrases_of("assistant.tasks.structuring")
# What stands around a name in a list and is none of it.
_BEFORE = _PHRASES["around_before"]
_AFTER = _PHRASES["around_after"]
_WORD = re.compile(r"(?=.*[\u4e00-\u9fffA-Za-z]{2})[\u4e00-\u9fffA-Za-z0-9ⅠⅡⅢⅣ'\-]{2,9}")
# Words that stand behind a denial and name no finding.
_NO_FINDING = _PHRASES["no_finding"]
# The last word of a finding.
_HEAD = _PHRASES["head"]
# What marks the term before it: a sign, a doubt.
_MARKED = _PHRASES["marked"]
_BACK = re.compile(r"[\u4e00-\u9fffA-Za-z']{2,9}\Z")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_OPENS = frozenset({"list", "clause"})


def listed_findings(document: Document, spans: Sequence[TypedSpan]) -> list[TypedSpan]:
    """Findings beside ``spans`` (anything that was found) that only their place gives away."""
    covered = bytearray(len(document.text))
    for span in spans:
        if span.type is EntityType.BODY_PART:
            continue
        covered[span.start : span.end] = b"\1" * (span.end - span.start)
    cues = Cues(find_cues(document, Terms([]), bytearray(len(document.text))))
    found: dict[tuple[int, int], TypedSpan] = {}
    for start, end in _places(document, cues):
        if not any(covered[start:end]):
            found[start, end] = TypedSpan(start, end, _kind(document.folded[start:end]), _SCORE)
    return sorted(found.values(), key=lambda span: span.start)


def _places(document: Document, cues: Cues) -> Iterator[tuple[int, int]]:
    clauses = [clause for s in document.sentences for clause in document.clauses(s)]
    for clause in clauses:
        inside = cues.between(clause.start, clause.end)
        for number, cue in enumerate(inside):
            if not _opens_a_list(cue):
                continue
            end = inside[number + 1].start if number + 1 < len(inside) else clause.end
            # What is denied was looked for; what is only thought of must sound like a finding.
            headed = cue.rule.category != "deny"
            yield from _items(document.folded, Range(cue.end, end), headed=headed)
        yield from _marked(document.folded, clause)


def _opens_a_list(cue: Cue) -> bool:
    rule = cue.rule
    speaks = rule.speaks_of(TermKind.SYMPTOM)
    denies = rule.category in ("deny", "doubt")
    return rule.direction == ">" and rule.scope in _OPENS and denies and speaks


def _items(folded: str, part: Range, *, headed: bool) -> Iterator[tuple[int, int]]:
    for item in _ITEM.finditer(folded, part.start, part.end):
        start = item.start()
        for joint in [*_JOINS.finditer(folded, item.start(), item.end()), None]:
            end = joint.start() if joint else item.end()
            if place := _trimmed(folded, start, end, headed=headed):
                yield place
            start = joint.end() if joint else end


def _trimmed(folded: str, start: int, end: int, *, headed: bool) -> tuple[int, int] | None:
    """The name in an item, None where there is none."""
    lead = _BEFORE.match(folded, start, end)
    start = lead.end() if lead else start
    tail = _AFTER.search(folded, start, end)
    end = tail.start() if tail and tail.start() > start + 1 else end
    word = folded[start:end]
    if not _WORD.fullmatch(word) or _NO_FINDING.search(word) or not _CHINESE.search(word):
        return None
    return (start, end) if not headed or _HEAD.search(word) else None


def _marked(folded: str, clause: Range) -> Iterator[tuple[int, int]]:
    for mark in _MARKED.finditer(folded, clause.start, clause.end):
        before = _BACK.search(folded, max(clause.start, mark.start() - 9), mark.start())
        headed = folded[mark.start()] not in "(阴阳"
        if before and (place := _trimmed(folded, *before.span(), headed=headed)):
            yield place


def _kind(word: str) -> EntityType:
    if re.search(r"(?:病|症|炎|癌|瘤|结核|梗死|综合征|感染|转移|骨折|妄想)\Z", word):
        return EntityType.DISEASE
    if re.search(r"(?:征|音|影|反射|压痛|畸形|受压|破坏|移位)\Z", word):
        return EntityType.SIGN
    return EntityType.SYMPTOM
