"""Checks of how a thing is meant: polarity, doubt, time, whose it is, done or only planned."""

from __future__ import annotations

import re

from assistant.draft import ProblemKind
from assistant.grounding.check import Check
from assistant.grounding.facts import marks, modes, negated_phrases, opposed
from assistant.grounding.source import Clause, Likeness, Source, clause_at, clause_ranges
from assistant.grounding.wording import bigrams
from knowledge.text.finding import Certainty, Experiencer, Finding, Polarity, Temporality

_RESOLVED = re.compile(r"曾|治愈|已愈|痊愈|年前|月前")


def check_findings(check: Check) -> None:
    """Each finding must be meant as the record means it: polarity, doubt, time, whose it is."""
    for finding in check.findings:
        wanted = bigrams(clause_at(check.text, finding.span.start))
        mentions = [
            (s, f)
            for s in check.sources
            if not (s.is_plan and finding.temporality is not Temporality.HYPOTHETICAL)
            for f in s.findings
            if f.concept == finding.concept
        ]
        if not mentions:
            if finding.polarity is Polarity.ABSENT:
                check.problem("negation", finding.text)
            continue
        of_family = "家族" in check.text
        agreeing = [s for s, f in mentions if _meant_alike(finding, f, s, of_family)]
        contrary = [s for s, f in mentions if f.polarity is not finding.polarity]

        def likeness(sources: list[Source], wanted: set[str] = wanted) -> int:
            return max((len(wanted & s.bigrams) for s in sources), default=-1)

        if agreeing and likeness(agreeing) >= likeness(contrary):
            check.use(max(agreeing, key=lambda s: len(wanted & s.bigrams)))
        else:
            check.problem(_why_not(finding, [f for _, f in mentions]), finding.text)


def _meant_alike(said: Finding, written: Finding, source: Source, of_family: bool) -> bool:
    if said.polarity is not written.polarity:
        return False
    if said.experiencer is not written.experiencer and not of_family:
        return False
    if said.polarity is Polarity.ABSENT:
        return True
    if written.certainty is Certainty.UNCERTAIN and said.certainty is Certainty.CERTAIN:
        return False
    hypothetical = Temporality.HYPOTHETICAL
    if (written.temporality is hypothetical) != (said.temporality is hypothetical):
        return False
    over = written.temporality is Temporality.PAST and _RESOLVED.search(source.segment.text)
    return not (over and said.temporality is Temporality.CURRENT)


def _why_not(said: Finding, written: list[Finding]) -> ProblemKind:
    if all(f.polarity is not said.polarity for f in written):
        return "negation"
    alike = [f for f in written if f.polarity is said.polarity]
    if all(f.experiencer is not said.experiencer for f in alike):
        return "wrong_patient"
    own = [f for f in alike if f.experiencer is said.experiencer]
    if all(f.temporality is Temporality.PAST for f in own):
        return "earlier_stay"
    if said.experiencer is Experiencer.PATIENT and any(
        f.certainty is said.certainty and f.temporality is said.temporality for f in own
    ):
        return "negation"
    return "certainty"


def check_negation(check: Check) -> None:
    """What the statement denies, the clause most like it must deny too, and the other way round."""
    everything = check.clauses
    facts = [clause for clause in everything if not clause.source.is_plan]
    for start, end in clause_ranges(check.text):
        clause = check.text[start:end]
        like = Likeness(check.text, clause)
        denied = negated_phrases(clause)
        for negated in denied:
            phrase = bigrams(negated.phrase) or {negated.phrase}
            short = len(negated.phrase) == 1
            about = [c for c in facts if phrase & c.bigrams or (short and negated.phrase in c.text)]
            best = like.best(about)
            denying = [
                c
                for c in about
                if like.score(c) == best
                and (phrase & c.denied or (short and c.denies(negated.phrase)))
            ]
            if denying:
                check.use(denying[0].source)
            else:
                check.problem("negation", clause[negated.start : negated.end])
        alike = like.most_alike(everything)
        if not denied and alike and all(c.denies(clause) for c in alike):
            check.problem("negation", clause)


def check_meaning(check: Check) -> None:
    """What was planned, refused or stopped is not done, and 上升 is not 下降."""
    everything = check.clauses
    said = modes(check.text)
    for start, end in clause_ranges(check.text):
        clause = check.text[start:end]
        alike = Likeness(check.text, clause).most_alike(everything)
        if not alike:
            continue
        if all(_missing_modes(c, said) for c in alike):
            check.problem("certainty", clause)
        if all(opposed(clause, c.text) for c in alike):
            check.problem("negation", clause)


_AGAIN = re.compile(r"患者|患儿|本人")


def _missing_modes(clause: Clause, said: frozenset[str]) -> bool:
    """Whether the clause, or its sentence where the mode reaches over it, is meant otherwise."""
    own = modes(clause.text)
    if "refused" in clause.source.modes:
        own |= {"refused"}
    at = clause.source.segment.text.find(clause.text)
    ahead = clause.source.segment.text[max(0, at - 12) : at]
    if not _AGAIN.search(ahead):
        own |= modes(ahead) & {"planned", "thought", "family"}
    return bool(own - said)


def check_marks(check: Check) -> None:
    """ER（+） must be ER（+）."""
    written: dict[str, set[str]] = {}
    for source in check.sources:
        for name, sign in source.marks.items():
            written.setdefault(name, set()).add(sign)
    for name, sign in marks(check.text).items():
        known = [n for n in written if n.endswith(name) or name.endswith(n)]
        if known and not any(sign in written[n] for n in known):
            check.problem("negation", f"{name}（{sign}）")
