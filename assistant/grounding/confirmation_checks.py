"""What a statement calls confirmed must be confirmed in the record, not only thought likely."""

from __future__ import annotations

import re

from assistant.grounding.check import Check
from assistant.grounding.likeness import Likeness

_CONFIRMED = re.compile(r"确诊|证实|确认|诊断明确|明确诊断|病理明确")
_KNOWN = re.compile(r"确诊|证实|确认|诊断(?!依据)|明确|病理|活检|造影|见")
_DOUBTED = re.compile(r"考虑|可能|疑|待[排查诊定]|不除外|不能排除|倾向|拟诊|印象")


def check_confirmed(check: Check) -> None:
    """考虑良性可能 supports no 确诊为良性."""
    for clause in check.said.clauses:
        if not _CONFIRMED.search(clause.text):
            continue
        like = Likeness(check.text, _CONFIRMED.sub("", clause.text))
        alike = [c for c in check.clauses if like.clause & c.bigrams]
        best = max((len(like.clause & c.bigrams) for c in alike), default=0)
        alike = [c for c in alike if len(like.clause & c.bigrams) == best]
        doubted = [c for c in alike if _DOUBTED.search(c.text)]
        if doubted and len(doubted) == len(alike):
            if not any(_CONFIRMED.search(c.text) for c in doubted):
                check.problem("certainty", clause.text)
        elif any(_DOUBTED.search(c.source.text) for c in alike) and not any(
            _KNOWN.search(c.source.text) for c in alike
        ):
            check.problem("certainty", clause.text)
