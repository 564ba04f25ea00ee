"""Names in Latin letters: what a statement calls by one, the record must know."""

from __future__ import annotations

import re

from assistant.grounding.check import Check
from assistant.grounding.wording import bigrams
from knowledge.text.dates import dates
from knowledge.text.folding import fold
from knowledge.text.frequency import frequencies
from knowledge.text.route import routes
from knowledge.text.terms import find_terms

_NAME = re.compile(r"(?<![a-z0-9])[a-z][a-z-]*[a-z](?![a-z])")
_SHORTEST = 3


def check_latin_names(check: Check) -> None:
    """PTCD后好转 is not told by ERCP后好转: a name in letters must stand in the record, be it by
    another wording of the same term.  Units, routes and frequencies are for their own checks."""
    folded = fold(check.text)
    known = [(m.name_start, m.quantity.tail or m.quantity.end) for m in check.said.measured]
    known += [(often.start, often.end) for often in frequencies(check.text)]
    known += [(way.start, way.end) for way in routes(check.text)]
    known += [(date.start, date.end) for date in dates(check.text)]
    known += [*check.taken, *check.verified, *check.named]
    written = fold("\n".join(s.text for s in check.sources))
    for name in _NAME.finditer(folded):
        if name.end() - name.start() < _SHORTEST or name[0] in written:
            continue
        if any(a <= name.start() < b for a, b in known):
            continue
        if not _is_known_otherwise(check, name.start(), name.end()):
            check.problem("no_evidence", check.text[name.start() : name.end()])


def _is_known_otherwise(check: Check, start: int, end: int) -> bool:
    """Whether the record has the term that the name is of, by another wording, or writes it out as
    the words that abbreviations stand for do."""
    concepts = {t.concept for t in find_terms(check.text) if t.start < end and start < t.end}
    concepts |= {
        f.concept for f in check.said.findings if f.span.start < end and start < f.span.end
    }
    if concepts & _concepts(check):
        return True
    meant = bigrams(check.text[start:end])
    plain = {pair for pair in meant if not pair.isascii()}
    return bool(plain) and any(plain <= c.bigrams for c in check.clauses)


def _concepts(check: Check) -> set[str]:
    found = {t.concept for s in check.sources for t in find_terms(s.text)}
    return found | {f.concept for s in check.sources for f in s.findings}
