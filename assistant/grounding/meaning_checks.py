"""Checks of how a thing is meant: polarity, doubt, time, whose it is, done or only planned."""

from __future__ import annotations

import re

from assistant.draft import ProblemKind
from assistant.grounding.check import Check
from assistant.grounding.denials import is_turned
from assistant.grounding.denied_lists import ends_a_denied_list
from assistant.grounding.likeness import Likeness
from assistant.grounding.opposites import (
    Contraries,
    without_opposites,
)
from assistant.grounding.source import Clause, Reading, Source
from assistant.grounding.stance import REVERSING, relatives
from assistant.grounding.wording import bigrams
from knowledge.text.finding import Certainty, Experiencer, Finding, Polarity, Temporality

_CONFIRMED = re.compile(r"确诊|证实|明确诊断|诊断明确")
_RESOLVED = re.compile(r"曾|治愈|已愈|痊愈|年前|月前")


def check_findings(check: Check) -> None:
    """Each finding must be meant as the record means it: polarity, doubt, time, whose it is."""
    for finding in check.said.findings:
        clause = check.said.clause_of(finding.span.start)
        mine = clause.stances if clause else frozenset()
        like = Likeness(check.text, clause.text if clause else check.text)
        mentions = [
            (s, f)
            for s in check.sources
            if not (s.is_plan and finding.temporality is not Temporality.HYPOTHETICAL)
            for f in s.findings
            if f.concept == finding.concept
        ]
        if not mentions:
            # What is denied by words is for `check_denials`; 体温正常 is told by 36.8℃.
            if check.is_computed(finding.span.start):
                continue
            if finding.polarity is Polarity.ABSENT and not _is_denied_here(clause, finding):
                check.problem("negation", finding.text)
            continue
        agreeing = [(s, f) for s, f in mentions if _meant_alike(check, finding, mine, f, s)]
        contrary = [(s, f) for s, f in mentions if f.polarity is not finding.polarity]
        if agreeing and _best(like, agreeing) >= _best(like, contrary):
            check.use(max(agreeing, key=lambda item: _score(like, *item))[0])
            check.verify(finding.span.start, finding.span.end)
        else:
            check.problem(_why_not(finding, [f for _, f in mentions]), finding.text)


def _is_denied_here(clause: Clause | None, finding: Finding) -> bool:
    if clause is None:
        return False
    start, end = finding.span.start - clause.start, finding.span.end - clause.start
    return any(d.start < end and start < d.end for d in clause.denials)


def relatives_of(reading: Reading, start: int) -> frozenset[str]:
    """The relatives whose illness stands at ``start``: those that were named last before it."""
    before = [c for c in reading.clauses if c.start <= start]
    for clause in reversed(before):
        if named := relatives(clause.text[: max(0, start - clause.start)]):
            return named
    return frozenset()


def _score(like: Likeness, source: Source, finding: Finding) -> tuple[int, int]:
    """First by the clause itself, then by what stands around it."""
    clause = source.clause_of(finding.span.start)
    if clause is None:
        return 0, 0
    return len(like.clause & clause.bigrams), len(like.sentence & source.bigrams)


def _best(like: Likeness, mentions: list[tuple[Source, Finding]]) -> int:
    """How like the clause of the best of ``mentions`` is; -1 without any."""
    return max((_score(like, source, finding)[0] for source, finding in mentions), default=-1)


def _of_one_relative(check: Check, said: Finding, written: Finding, source: Source) -> bool:
    """Whether it is told of the same relative: 父亲患高血压 tells nothing of the mother."""
    mine = relatives_of(check.said, said.span.start)
    theirs = relatives_of(source, written.span.start)
    return not mine or not theirs or bool(mine & theirs)


def _meant_alike(
    check: Check, said: Finding, mine: frozenset[str], written: Finding, source: Source
) -> bool:
    theirs = source.stances_at(written.span.start)
    if ("family" in mine) != ("family" in theirs):
        return False
    if not _of_one_relative(check, said, written, source):
        return False
    if said.polarity is not written.polarity:
        return False
    of_family = "family" in mine
    if said.experiencer is not written.experiencer and not of_family:
        return False
    if said.polarity is Polarity.ABSENT:
        return not is_turned(source.text, written.span.start)
    if ends_a_denied_list(source, written):
        return False
    doubted = written.certainty is Certainty.UNCERTAIN or is_turned(source.text, written.span.start)
    if doubted and said.certainty is Certainty.CERTAIN:
        return False
    if (
        said.certainty is Certainty.UNCERTAIN
        and written.certainty is Certainty.CERTAIN
        and _CONFIRMED.search(source.text)
    ):
        # 确诊 supports no 尚待排除.
        return False
    hypothetical = Temporality.HYPOTHETICAL
    if (written.temporality is hypothetical) != (said.temporality is hypothetical):
        return False
    over = written.temporality is Temporality.PAST and _RESOLVED.search(source.text)
    return not (over and said.temporality is Temporality.CURRENT and not of_family)


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


_CLAIMED = re.compile(r"目前|(?<![出发表实呈])现(?![病象场实])|仍|至今|在[用位]")
_OVER = re.compile(
    r"转清|未再|戒(?!指|备|断)|转[普出至]|后转|拔[管除]|撤[机除]|脱机|停用|停药|消失|已?缓解|已?恢复|治愈|已愈|出院"
)


def check_now(check: Check) -> None:
    """What is said to be so still must not be over by the end of the record's own sentence."""
    for clause in check.said.clauses:
        if not _CLAIMED.search(clause.text) or _OVER.search(clause.text):
            continue
        alike = _alike(clause, check)
        over = [_OVER.search(c.source.text, c.start) and not _CLAIMED.search(c.text) for c in alike]
        if over and over[-1]:
            check.problem("certainty", clause.text)


def check_stances(check: Check) -> None:
    """What was planned, refused or not done is not done, and 上升 is not 下降.

    A clause that names a drug is for the check of regimens.
    """
    drugs = [(r.drug.start, r.drug.end) for r in check.said.regimens]
    for clause in check.said.clauses:
        end = clause.start + len(clause.text)
        alike = _alike(clause, check)
        if not alike:
            continue
        with_drug = any(clause.start <= a and b <= end for a, b in drugs)
        differs = all(_differs(clause, c) for c in alike)
        if not with_drug and differs and not _is_told_so(clause, check):
            check.problem("certainty", clause.text)
        words = bigrams(without_opposites(clause.text))
        best = max((len(words & c.bigrams) for c in check.clauses), default=0)
        about = [c for c in check.clauses if best and len(words & c.bigrams) == best]
        contrary = Contraries(clause.text)
        # 拔除尿管 is about the 尿管 of 保留尿管, whatever else was removed.
        for same in (alike, about):
            if same and all(
                (
                    contrary.opposed(c.text)
                    and not contrary.told_after(c.source.text[c.start + len(c.text) :])
                )
                or contrary.changed_otherwise(c.source.text)
                for c in same
            ):
                check.problem("negation", clause.text)


def _alike(said: Clause, check: Check) -> list[Clause]:
    """The clauses that are about the same, however they mean it."""
    like = Likeness(check.text, said.text)
    scores = [
        (2 * len(said.matter & c.matter), len(like.sentence & c.source.bigrams), c)
        for c in check.clauses
    ]
    best = max(((a, b) for a, b, _ in scores), default=(0, 0), key=sum)
    if not said.matter or sum(best) == 0:
        return like.most_alike(check.clauses)
    return [c for a, b, c in scores if a + b == sum(best)]


_WHEN = re.compile(r"^(?:术[中前后]|住院期间|入院后|病程中|期间|患者|患儿|目前|现)+")


def _is_told_so(said: Clause, check: Check) -> bool:
    """Whether a clause has all its words and means them so: 未输血 is 术中未输血 of an operation
    that the sentence is about, whatever else 术中 leads to."""
    lead = _WHEN.match(said.text)
    if lead is None or not said.own_stances:
        return False
    words = bigrams(said.text[lead.end() :])
    return bool(words) and any(
        words <= c.bigrams and c.own_stances == said.own_stances and lead[0][:2] in c.source.text
        for c in check.clauses
    )


_DONE = re.compile(r"已经?(?:行|做|完成|接受|实施)")


_ADVISED = re.compile(r"(?<!医)嘱(?!托)")
_GIVEN = re.compile(r"[行予给](?!走|为|动|人|药史)")


def _differs(said: Clause, written: Clause) -> bool:
    """Whether the record means its clause otherwise, or the statement turns what it tells."""
    whole = said.stances | {s for c in said.source.clauses for s in c.stances} - REVERSING
    turned = said.own_stances & REVERSING
    if "planned" in said.own_stances and not written.stances and _GIVEN.search(written.text):
        return True
    if _ADVISED.search(written.text) and "已" in said.text and not _ADVISED.search(said.text):
        return True
    if "planned" in written.stances and _DONE.search(said.text) and not _DONE.search(written.text):
        return True
    return bool(written.stances - whole) or bool(turned - written.stances)
