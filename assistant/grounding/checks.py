"""The checks of grounding in their order, with those of dates, identity, sides and wording."""

from __future__ import annotations

import re
from collections.abc import Callable

from assistant.grounding.check import Check
from assistant.grounding.facts import dates, sides
from assistant.grounding.meaning_checks import (
    check_findings,
    check_marks,
    check_meaning,
    check_negation,
)
from assistant.grounding.number_checks import check_quantities, check_regimens
from assistant.grounding.quantity import quantities
from assistant.grounding.source import Likeness, Source, clause_at, clause_ranges
from assistant.grounding.wording import CONTENT, bigrams


def check_dates(check: Check) -> None:
    """The event must stand with this date, and not be told better with another."""
    for date in dates(check.text):
        wanted = bigrams(clause_at(check.text, date.start))

        def likeness(sources: list[Source], wanted: set[str] = wanted) -> int:
            return max((len(wanted & s.bigrams) for s in sources), default=-1)

        same = [s for s in check.sources if any(date.agrees(d) for d in s.dates)]
        other = [s for s in check.sources if s.dates and s not in same]
        if not same or likeness(same) < likeness(other) or (wanted and likeness(same) == 0):
            check.problem("date", check.text[date.start : date.end])
        else:
            check.use(max(same, key=lambda s: len(wanted & s.bigrams)))


_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏"
    "吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严"
    "覃武戴莫孔向汤"
)
_NAMED = re.compile(
    rf"(?:患[者儿])([{_SURNAMES}][\u4e00-\u9fff]{{1,2}})(?=[，,、（(]|于|因)"
    rf"|^([{_SURNAMES}][\u4e00-\u9fff]{{1,2}})(?=[，,、（(]\s?(?:[男女]|\d))"
)
_SEX = re.compile(r"(?<![\u4e00-\u9fff])([男女])(?=性|[，,、。 ]|$)|患者([男女])|([男女])性")


def check_patient(check: Check) -> None:
    """A name or a sex that is not this patient's."""
    written = "".join(s.segment.text for s in check.sources) if _NAMED.search(check.text) else ""
    for match in _NAMED.finditer(check.text):
        name = match[1] or match[2]
        known = name in self_names if (self_names := check.patient_names) else name in written
        if not known:
            check.problem("wrong_patient", name)
    told = {next(g for g in m.groups() if g) for m in _SEX.finditer(check.text)}
    own = {"male": "男", "female": "女"}.get(check.patient_sex or "")
    if own is None:
        seen = {
            next(g for g in m.groups() if g)
            for s in check.sources
            for m in _SEX.finditer(s.segment.text)
        }
        own = seen.pop() if len(seen) == 1 else None
    if own is not None and told - {own}:
        check.problem("wrong_patient", "、".join(sorted(told - {own})))


def check_sides(check: Check) -> None:
    """The clause that is most like the statement's must have the same side of the same part."""
    for side in sides(check.text):
        like = Likeness(check.text, clause_at(check.text, side.start))
        with_part = [
            (clause, other)
            for clause in check.clauses
            for other in clause.sides
            if not side.part or other.part[:1] == side.part[:1]
        ]
        same = [clause for clause, other in with_part if other.side == side.side]
        opposite = [clause for clause, other in with_part if other.side != side.side]
        if not same or like.best(same) < like.best(opposite):
            check.problem("laterality", check.text[side.start : side.end])
        else:
            check.use(max(same, key=like.score).source)


def check_wording(check: Check) -> None:
    """Every clause must be covered; a clause too short for that must stand there literally."""
    for start, end in clause_ranges(check.text):
        clause = check.text[start:end]
        wanted = bigrams(clause)
        if not wanted:
            _check_short(check, clause)
            continue
        covered = {b for s in check.used for b in wanted & s.bigrams}
        while len(covered) < len(wanted):
            best = max(check.sources, key=lambda s: len(wanted & s.bigrams - covered), default=None)
            gain = wanted & best.bigrams - covered if best else set()
            enough = len(covered) > check.coverage * len(wanted)
            if best is None or len(gain) < (2 if enough and len(wanted) > 2 else 1):
                break
            check.use(best)
            covered |= gain
        if len(covered) <= check.coverage * len(wanted) and len(covered) < len(wanted):
            check.problem("no_evidence", clause)


def _check_short(check: Check, clause: str) -> None:
    """A clause without a pair of content characters: what is left of it beside numbers and dates
    must stand there."""
    bare = clause
    values = [(q.start, q.end) for q in quantities(clause)]
    for start, end in sorted([*values, *((d.start, d.end) for d in dates(clause))], reverse=True):
        bare = bare[:start] + bare[end:]
    content = "".join(c for c in CONTENT.findall(bare) if c not in _LITTLE)
    if not content:
        return
    holding = [s for s in check.sources if content in "".join(CONTENT.findall(s.segment.text))]
    if holding:
        check.use(holding[0])
    else:
        check.problem("no_evidence", clause)


_LITTLE = set("共约各均每次余第")


CHECKS: tuple[Callable[[Check], None], ...] = (
    check_patient,
    check_regimens,
    check_quantities,
    check_dates,
    check_sides,
    check_findings,
    check_negation,
    check_meaning,
    check_marks,
    check_wording,
)
