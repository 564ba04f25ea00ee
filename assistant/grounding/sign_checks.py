"""Signs of what was tested: 阴性 must be 阴性."""

from __future__ import annotations

import re

from assistant.grounding.check import Check
from assistant.grounding.signs import Sign
from assistant.grounding.wording import bigrams
from knowledge.text.folding import fold


def check_signs(check: Check) -> None:
    """梅毒抗体阴性 must be 梅毒抗体阴性, and ER（+） ER（+）."""
    written = [(source, sign) for source in check.sources for sign in source.signs]
    for said in check.said.signs:
        known = [(source, sign) for source, sign in written if said.is_of(sign)]
        same = [source for source, sign in known if said.says_the_same(sign)]
        if same:
            check.use(same[0])
            check.verify(said.start, said.end)
        elif known or _is_told_otherwise(said, check) or _is_untold(said, check):
            check.problem("negation", check.text[said.start : said.end])


_TOLD_SIGN = re.compile(r"[阴阳]|[（(][-+±]|未见|无|检出|见|生长|小三|大三")


def _is_untold(said: Sign, check: Check) -> bool:
    """Whether the record names the test and no sign of it: 便隐血待送 is no 便隐血阳性."""
    words = bigrams(said.name)
    naming = [c for c in check.clauses if words and words <= c.bigrams]
    return bool(naming) and not any(_TOLD_SIGN.search(c.source.text) for c in naming)


_MARKER = re.compile(r"[a-z][a-z0-9-]+")


def _is_told_otherwise(said: Sign, check: Check) -> bool:
    """Whether the record tells something else of a marker: EGFR 19del突变 is no EGFR阴性."""
    name = said.name
    if not _MARKER.fullmatch(name):
        return False
    told = re.compile(rf"(?<![a-z0-9]){re.escape(name)}(?![a-z0-9])")
    clauses = [fold(c.text) for c in check.clauses if told.search(fold(c.text))]
    result = "阳" if said.positive else "阴"
    return bool(clauses) and not any(result in clause for clause in clauses)
