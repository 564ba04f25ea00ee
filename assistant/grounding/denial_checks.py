"""What a statement denies the record must deny, and what that only affirms stays so."""

from __future__ import annotations

from assistant.grounding.check import Check
from assistant.grounding.likeness import Likeness
from assistant.grounding.opposites import (
    affirms,
    denied_words,
)
from assistant.grounding.source import Source
from assistant.grounding.wording import bigrams, blanked, telling


def check_denials(check: Check) -> None:
    """What the statement denies, the clause most like it must deny too, and the other way round.

    What the lexicon knows is a finding, and is not asked for here.
    """
    facts = [c for c in check.clauses if not (isinstance(c.source, Source) and c.source.is_plan)]
    concepts = {f.concept for s in check.sources for f in s.findings}
    known = [(f.span.start, f.span.end) for f in check.said.findings if f.concept in concepts]
    # 病理反射阴性 denies as 病理反射未引出 does.
    negative = [(s.start, s.end) for s in check.said.signs if s.positive is False]
    for clause in check.said.clauses:
        like = Likeness(check.text, clause.text)
        for denied in clause.denials:
            start, end = clause.start + denied.start, clause.start + denied.end
            if any(a < end and start < b for a, b in known):
                continue
            words = bigrams(denied.text) or {denied.text}
            short = len(denied.text) == 1
            about = [c for c in facts if words & c.bigrams or (short and denied.text in c.text)]
            best = max((len(like.clause & c.bigrams) for c in about), default=0)
            denying = [
                c
                for c in about
                if len(like.clause & c.bigrams) == best
                and (words & c.denied or (short and any(denied.text in d.text for d in c.denials)))
            ]
            if denying:
                check.use(denying[0].source)
            else:
                check.problem("negation", clause.text[denied.cue : denied.end])
        alike = like.most_alike(check.clauses)
        affirmed = blanked(
            clause.affirmed, [(a - clause.start, b - clause.start) for a, b in negative]
        )
        own = tuple(d.text for d in clause.denials if len(d.text) > 1)
        # 胰周无积液 denies what 未见胰周积液 denies.
        as_well = own and any(d.text.endswith(own) for c in alike for d in c.denials)
        if alike and not as_well and all(c.denies(affirmed) for c in alike):
            check.problem("negation", clause.text)


_TOLD = 0.6
"""A clause of which one of the record has more is told, whatever else is denied."""


def check_denied_alone(check: Check) -> None:
    """What the record only ever denies, a statement may not affirm (未治愈 tells of no 治愈), nor
    deny what it only ever affirms (可还纳 of no 不能还纳)."""
    for clause in check.said.clauses:
        for word in denied_words(clause.text):
            naming = [c for c in check.clauses if word in c.text]
            if naming and telling(word) and all(affirms(c.text, word) for c in naming):
                check.problem("negation", clause.text)
    denied = {word for c in check.clauses for word in c.only_denied}
    concepts = {f.concept for source in check.sources for f in source.findings}
    known = [(f.span.start, f.span.end) for f in check.said.findings if f.concept in concepts]
    known += [(s.start, s.end) for s in check.said.signs if s.positive is False]
    for clause in check.said.clauses:
        if Likeness(check.text, clause.text).coverage(check.clauses) > _TOLD:
            continue
        told = blanked(clause.affirmed, [(a - clause.start, b - clause.start) for a, b in known])
        for word in denied:
            if not telling(word) and not any(
                f"未{word}" in c.text and clause.matter & c.source.bigrams for c in check.clauses
            ):
                # 处理左肾结石 is what was done, whatever else is 未处理.
                continue
            if affirms(told, word) and not any(affirms(c.affirmed, word) for c in check.clauses):
                check.problem("negation", clause.text)
