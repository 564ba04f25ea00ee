"""Each number of a statement must be that of the same thing in the record, and so must its way."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from assistant.grounding.bound import bound
from assistant.grounding.check import Check
from assistant.grounding.counts import (
    counts_another,
    is_counted,
    lasts_otherwise,
    of_mother_or_child,
)
from assistant.grounding.days_after import told_by_date
from assistant.grounding.differences import difference
from assistant.grounding.likeness import Likeness
from assistant.grounding.measured import Measured
from assistant.grounding.name_checks import is_level
from assistant.grounding.only_value import told_alone
from assistant.grounding.source import Clause, Reading, Source
from assistant.grounding.stance import NOT_THERE
from assistant.grounding.wording import bigrams, blanked
from knowledge.text.dates import dates
from knowledge.text.folding import fold
from knowledge.text.frequency import frequencies
from knowledge.text.terms import find_terms


def check_quantities(check: Check) -> None:
    """Each number must stand, with its unit, beside the same words, meant in the same way."""
    written = [(s, m) for s in check.sources for m in s.measured]
    for said in check.said.measured:
        quantity = said.quantity
        if any(a <= quantity.start < b for a, b in check.taken) or _is_named(check, said):
            continue
        clause = check.said.clause_of(quantity.start)
        words = check.text[quantity.lead or quantity.start : quantity.end]
        if clause is None or quantity.ambiguous:
            check.problem("number", words)
            continue
        same = [
            (s, m)
            for s, m in written
            if (said.says_the_same(m) or said.leaves_its_unit(m, written))
            and not (is_counted(said) and counts_another(check.said, said, s, m))
            and of_mother_or_child(clause, s.clause_of(m.quantity.start))
        ]
        holding = [
            s
            for s, m in same
            if said.is_of(m)
            and (not m.reference or said.reference)
            and _may_tell(s, m, clause, quantity.start)
            and _on_one_day(check.said, quantity.start, s, m.quantity.start)
            and _at_one_time(clause, s.clause_of(m.quantity.start))
            and _of_one_turn(clause, s.clause_of(m.quantity.start))
            and not _told_for_moment(said, m, written)
        ]
        if not holding:
            holding = told_alone(said, clause, check, same, written)
        if not holding and not said.concept:
            fair = [
                (s, m)
                for s, m in same
                if not m.reference
                and not m.concept
                and said.fits(m)
                and _may_tell(s, m, clause, quantity.start)
                and _on_one_day(check.said, quantity.start, s, m.quantity.start)
                and _at_one_time(clause, s.clause_of(m.quantity.start))
                and _of_one_turn(clause, s.clause_of(m.quantity.start))
            ]
            holding = bound(said, check, fair, written)
        if not holding and (
            source := difference(
                check.text, said, written, check.said.measured[: check.said.measured.index(said)]
            )
        ):
            check.use(source)
            begin = clause.start if said.concept == "血压" else said.name_start
            check.verify(begin, quantity.tail or quantity.end)
            check.computed.append((said.name_start, quantity.end))
            continue
        if not holding and (source := _went_on(check, said, written)):
            holding = [source]
        if not holding and quantity.ordinal and quantity.unit.code == "d":
            source = told_by_date(check, quantity.start, int(quantity.low))
            holding = [source] if source else []
        lasts = is_counted(said) and lasts_otherwise(check, said, written)
        if holding and not lasts and not _better_told(said, clause, check.sources):
            like = Likeness(check.text, clause.text)
            check.use(max(holding, key=lambda s: like.best(s.clauses)))
            check.verify(said.name_start, quantity.tail or quantity.end)
            if said.concept:
                check.named.append((said.name_start, said.name_end))
        elif not same and quantity.unit and _other_unit(said, written):
            check.problem("unit", words)
        else:
            check.problem("number", words)


def _went_on(
    check: Check, said: Measured, written: Sequence[tuple[Source, Measured]]
) -> Source | None:
    """The sentence that has what a value went on to, behind the value itself: 由1500减至1000kcal is
    1500kcal…减至1000kcal."""
    at = check.said.measured.index(said)
    first = check.said.measured[at - 1] if at else None
    if said.moment != "last" or first is None or first.moment != "left":
        return None
    for source in {id(s): s for s, _ in written}.values():
        text = [m for m in source.measured if not m.reference]
        for one, two in pairwise([m for m in text if _unit_fits(m, said)]):
            goes = two.moment == "last" and two.quantity.same(said.quantity)
            if goes and one.quantity.values == first.quantity.values and _share(one, first):
                return source
    return None


def _unit_fits(one: Measured, other: Measured) -> bool:
    return one.quantity.unit.converts_to(other.quantity.unit)


def _share(one: Measured, other: Measured) -> bool:
    return bool(one.before & other.before)


def _is_named(check: Check, said: Measured) -> bool:
    """Whether it is of a name that has a check of its own: a level of the spine, a month."""
    return is_level(check.text, said.quantity.start) or _is_month(check, said)


def _is_month(check: Check, said: Measured) -> bool:
    """Whether it is a month of the calendar in which the record dates the same: 11月复查."""
    quantity = said.quantity
    words = check.text[quantity.start : quantity.end]
    clause = check.said.clause_of(quantity.start)
    if not words.endswith("月") or words.endswith("个月") or quantity.shape != "one" or not clause:
        return False
    told = [
        s
        for s in check.sources
        for d in s.dated
        if d.date.month == quantity.low and d.bigrams & clause.bigrams
    ]
    for source in told[:1]:
        check.use(source)
        check.verify(quantity.start, quantity.end)
    return bool(told)


def _better_told(said: Measured, clause: Clause, sources: Sequence[Source]) -> bool:
    """Whether another value of the same kind stands beside more of the same words.

    高血压病史5年 does not tell that 糖尿病病史 is 5年.  A named test has values of many moments.
    """
    if said.concept:
        return False
    best = {True: (0, 0), False: (0, 0)}
    for source in sources:
        for other in source.measured:
            if not said.quantity.unit.converts_to(other.quantity.unit):
                continue
            place = source.clause_of(other.quantity.start)
            shared = len(clause.bigrams & place.bigrams) if place else 0
            score = (len(said.before & other.before), shared)
            same = said.says_the_same(other)
            best[same] = max(best[same], score)
    # 脾肋下未及 tells better of 脾肋下 than 肝肋下2cm does.
    denied = (len(said.before & bigrams(d.text)) for s in sources for d in s.denials)
    return best[False] > best[True] or max(denied, default=0) > best[True][0]


def _other_unit(said: Measured, written: list[tuple[Source, Measured]]) -> bool:
    """Whether the number as it is written stands there, with other units alone."""
    mine = said.quantity
    numbers = [number.written for number in mine.numbers]
    alike = [m for _, m in written if [n.written for n in m.quantity.numbers] == numbers]
    return bool(alike) and not any(mine.base == m.quantity.base for m in alike)


def _side_of(clause: Clause, at: int) -> str:
    """The side that is named last before a number in its clause: 右3mm左4mm."""
    found = [s.side for s in clause.sides if clause.start + s.start < at]
    return found[-1] if found else ""


def _may_tell(source: Source, written: Measured, said: Clause, at: int) -> bool:
    """Whether the record's clause means its number as the statement does its own at ``at``, of the
    same side."""
    clause = source.clause_of(written.quantity.start)
    if clause is None:
        return True
    if (clause.stances & NOT_THERE) - said.stances:
        return False
    own, other = _side_of(said, at), _side_of(clause, written.quantity.start)
    if own and other and own != other and "双" not in (own, other):
        return False
    mine = {(s.side, s.part[:1]) for s in said.sides}
    theirs = {(s.side, s.part[:1]) for s in clause.sides}
    if not mine or not theirs or mine & theirs:
        return True
    # 左侧肢体肌力5级，右侧3级: the part is named once.
    return any(
        side == other and not (part and elsewhere)
        for side, part in mine
        for other, elsewhere in theirs
    )


def _on_one_day(said: Reading, at: int, source: Reading, there: int) -> bool:
    """Whether the days that both name for their values are one, as far as they name any."""
    mine, theirs = said.day_of(at), source.day_of(there)
    return mine is None or theirs is None or mine.agrees(theirs)


def _at_one_time(said: Clause, written: Clause | None) -> bool:
    """Whether the times of the day that both clauses name, if they do, have one in common."""
    mine = set(_CLOCK.findall(fold(said.text)))
    theirs = set(_CLOCK.findall(fold(written.text))) if written else set()
    return not mine or not theirs or bool(mine & theirs)


_TURN = re.compile(r"第[1-9一二三四五六七八九十]+(?:次|周期|疗程|程)|首次")


def _of_one_turn(said: Clause, written: Clause | None) -> bool:
    """Whether the turns that both clauses name, if they do, have one in common: 第二次化疗后."""
    mine = set(_TURN.findall(said.text))
    theirs = set(_TURN.findall(written.text)) if written else set()
    return not mine or not theirs or bool(mine & theirs)


def _told_for_moment(
    said: Measured, found: Measured, written: Sequence[tuple[Source, Measured]]
) -> bool:
    """Whether the record has another value for the moment that is said: 复查45mmHg."""
    return bool(said.moment and said.concept) and not found.moment and any(
        m.concept == said.concept and m.moment == said.moment and not said.says_the_same(m)
        for _, m in written
    )  # fmt: skip


_CLOCK = re.compile(r"(?<!\d)\d{1,2}时(?:[0-5]\d分)?(?![间候期相\d])")


def check_clocks(check: Check) -> None:
    """A time of the day must be that of the clause that is most like the statement's."""
    for said in check.said.clauses:
        times = set(_CLOCK.findall(fold(said.text)))
        if not times:
            continue
        told = [(c, set(_CLOCK.findall(fold(c.text)))) for c in check.clauses]
        told = [(c, found) for c, found in told if found]
        alike = max((len(said.bigrams & c.bigrams) for c, _ in told), default=0)
        if not any(times <= t for c, t in told if len(said.bigrams & c.bigrams) == alike):
            check.problem("date", said.text)


_DIGITS = re.compile(r"[a-z0-9.%/+^*-]*\d[a-z0-9.%/+^*-]*")


def check_digits(check: Check) -> None:
    """A number that no reader understands must stand in a sentence of the same words as it is."""
    folded = fold(check.text)
    known = [(m.name_start, m.quantity.tail or m.quantity.end) for m in check.said.measured]
    known += [(term.start, term.end) for term in find_terms(check.text)]
    known += [(date.start, date.end) for date in dates(check.text)]
    known += [(often.start, often.end) for often in frequencies(check.text)]
    known += [hit.span() for hit in _CLOCK.finditer(folded)]
    known += check.taken
    for token in _DIGITS.finditer(folded):
        digits = [at for at in range(*token.span()) if folded[at].isdecimal()]
        if all(any(a <= at < b for a, b in known) for at in digits):
            continue
        clause = check.said.clause_of(token.start())
        begin = clause.start if clause else 0
        told = blanked(
            clause.text if clause else "", [(token.start() - begin, token.end() - begin)]
        )
        words = bigrams(told)
        pattern = re.compile(rf"(?<![a-z\d.]){re.escape(token[0].strip('.+*/-'))}(?!\d)")
        alike = max((len(words & c.bigrams) for c in check.clauses), default=0)
        if not any(
            len(words & c.bigrams) == alike and pattern.search(fold(c.text)) for c in check.clauses
        ):
            check.problem("number", check.text[token.start() : token.end()])
