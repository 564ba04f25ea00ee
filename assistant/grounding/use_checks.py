"""Routes and frequencies of what is not known as a drug must stand beside it."""

from __future__ import annotations

import re

from assistant.grounding.check import Check
from assistant.grounding.regimen_elements import (
    leads_an_oral_drug,
    parts_of,
)
from assistant.grounding.wording import bigrams
from knowledge.text.frequency import Frequency, frequencies
from knowledge.text.route import Route, routes

_FELT = re.compile(r"[感觉诉发有出]")
"""每日感头晕: how often something is felt, which no drug's frequency tells."""


def _is_used_otherwise(check: Check, use: Route | Frequency) -> bool:
    """Whether the clause of the record that is most like the statement's has another frequency or
    route: 玻璃酸钠qid，左氧氟沙星tid tells of no 玻璃酸钠 tid."""
    clause = check.said.clause_of(use.start)
    if clause is None:
        return False
    felt = isinstance(use, Frequency) and _FELT.match(check.text, use.end) is not None
    read = frequencies if isinstance(use, Frequency) else routes
    at = use.start - clause.start
    words = bigrams(clause.text[:at] + "，" + clause.text[at + use.end - use.start :])
    best, values = 1, set[str]()
    for other in check.clauses:
        shared = len(words & other.bigrams)
        found = {one.value for one in read(other.text)}
        if shared < best or not (found or felt):
            continue
        values = found if shared > best else values | found
        best = shared
    return (felt or bool(values)) and use.value not in values


def check_use(check: Check) -> None:
    """A route or a frequency of something that is not known as a drug must stand beside it."""
    own = {place for said in check.said.regimens for place in parts_of(said)}
    uses: list[Route | Frequency] = [*routes(check.text), *frequencies(check.text)]
    for use in uses:
        if (use.start, use.end) in own:
            continue
        clause = check.said.clause_of(use.start)
        words = bigrams(clause.text) if clause else set()
        told = [s for s in check.sources for u in s.uses if u == use.value]
        alike = max((len(words & s.bigrams) for s in check.sources), default=0)
        if (
            use.value == "口服"
            and leads_an_oral_drug(check.text, use.end)
            and not any(
                routes(c.text) for c in check.clauses if check.text[use.end : use.end + 3] in c.text
            )
        ):
            check.verify(use.start, use.end)
            continue
        if not any(len(words & s.bigrams) == alike for s in told) or _is_used_otherwise(check, use):
            check.problem("dose", check.text[use.start : use.end])
        else:
            check.verify(use.start, use.end)
