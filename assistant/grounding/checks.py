"""The checks of grounding in their order, with those of dates, identity, sides and wording."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from assistant.grounding.allergy_checks import check_allergens
from assistant.grounding.check import Check
from assistant.grounding.confirmation_checks import check_confirmed
from assistant.grounding.dated import Dated
from assistant.grounding.days_after import told_by_day
from assistant.grounding.denial_checks import check_denials, check_denied_alone
from assistant.grounding.examination_checks import check_examinations
from assistant.grounding.lasting_checks import check_lasting, check_stages
from assistant.grounding.likeness import Likeness
from assistant.grounding.meal_doses import check_meal_doses
from assistant.grounding.meaning_checks import check_findings, check_now, check_stances
from assistant.grounding.name_checks import (
    check_bound_grades,
    check_latin_names,
    check_levels,
    check_normal,
    check_procedures,
)
from assistant.grounding.order_checks import check_led, check_order, check_trends
from assistant.grounding.outcome_checks import check_groups, check_outcomes
from assistant.grounding.quantity_checks import check_clocks, check_digits, check_quantities
from assistant.grounding.regimen_checks import check_regimens
from assistant.grounding.sign_checks import check_signs
from assistant.grounding.site_checks import check_sites
from assistant.grounding.source import clause_at
from assistant.grounding.susceptibility_checks import check_susceptibility
from assistant.grounding.tie_checks import (
    check_bound_words,
    check_causes,
    check_replacements,
    check_sequences,
)
from assistant.grounding.turned_checks import check_before_after, check_removed, check_stopped
from assistant.grounding.use_checks import check_use
from assistant.grounding.value_words import check_value_words
from assistant.grounding.wording import bigrams
from assistant.grounding.wording_checks import check_wording
from knowledge.text.dates import dates


def check_dates(check: Check) -> None:
    """The event must stand with this date, and not be told better with another."""
    for date in dates(check.text):
        wanted = bigrams(clause_at(check.text, date.start))

        def likeness(dated: Sequence[Dated], wanted: set[str] = wanted) -> int:
            return max((len(wanted & one.bigrams) for one in dated), default=-1)

        every = [(s, d) for s in check.sources for d in s.dated]
        same = [(s, d) for s, d in every if date.agrees(d.date)]
        if not same and (source := told_by_day(check, date)):
            check.use(source)
            check.verify(date.start, date.end)
            continue
        other = [d for _, d in every if not date.agrees(d.date)]
        best = likeness([d for _, d in same])
        if not same or best < likeness(other) or (wanted and best == 0) or not date.is_possible:
            check.problem("date", check.text[date.start : date.end])
        else:
            check.verify(date.start, date.end)
            check.use(max(same, key=lambda item: len(wanted & item[1].bigrams))[0])


_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏"
    "吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严"
    "覃武戴莫孔向汤"
)
_NAMED = re.compile(
    rf"(?:患[者儿])([{_SURNAMES}][\u4e00-\u9fff]{{1,2}})(?=[，,、（(]|于|因)"
    rf"|^([{_SURNAMES}][\u4e00-\u9fff]{{1,2}})(?=[，,、（(]\s?(?:[男女]|\d))"
)
_ROLE = re.compile(
    rf"(?P<role>主刀|术者|助手|一助|二助|麻醉|主治|主任|管床|巡回|器械)(?:医师|医生|护士)?[:：为是\s]*"
    rf"(?P<name>[{_SURNAMES}][\u4e00-\u9fff]{{1,2}})(?=$|[，,、。；;])"
)
_SEX = re.compile(r"(?<![\u4e00-\u9fff])([男女])(?=性|[，,、。 ]|$)|患者([男女])|([男女])性")


def check_patient(check: Check) -> None:
    """A name or a sex that is not this patient's."""
    written = "".join(s.text for s in check.sources) if _NAMED.search(check.text) else ""
    for match in _NAMED.finditer(check.text):
        name = match[1] or match[2]
        known = name in self_names if (self_names := check.patient_names) else name in written
        if not known:
            check.problem("wrong_patient", name)
    for match in _ROLE.finditer(check.text):
        pattern = re.compile(rf"{match['role'][:2]}[\u4e00-\u9fff]{{0,4}}[:：\s]*{match['name']}")
        if not any(pattern.search(s.text) for s in check.sources):
            check.problem("wrong_patient", match[0])
    told = {next(g for g in m.groups() if g) for m in _SEX.finditer(check.text)}
    own = {"male": "男", "female": "女"}.get(check.patient_sex or "")
    if own is None:
        seen = {
            next(g for g in m.groups() if g) for s in check.sources for m in _SEX.finditer(s.text)
        }
        own = seen.pop() if len(seen) == 1 else None
    if own is not None and told - {own}:
        check.problem("wrong_patient", "、".join(sorted(told - {own})))


_BABY = re.compile(
    r"(?P<a>[男女])(?:活?婴|孩|童)|(?:新生儿|胎儿|患儿)[为是：:，, ]?(?P<b>[男女])(?![性方])"
    r"|(?:产|娩出?|分娩|活)一?(?P<c>[男女])"
)


def check_baby(check: Check) -> None:
    """A child that was born is a boy or a girl as the record has it."""
    told = {hit[str(hit.lastgroup)] for hit in _BABY.finditer(check.text)}
    if not told:
        return
    written = {hit[str(hit.lastgroup)] for s in check.sources for hit in _BABY.finditer(s.text)}
    if written and told - written:
        check.problem("wrong_patient", "、".join(sorted(told - written)))


_PLACE = re.compile(
    r"(?:转(?:[入至往回]|到)?|收入|收住)(?P<place>[\u4e00-\u9fff]{1,6}?科|ICU|[\u4e00-\u9fff]{2,4}病房)"
)


def check_places(check: Check) -> None:
    """Where the patient went must stand in the record by its name."""
    for match in _PLACE.finditer(check.text):
        if not any(match["place"] in s.text for s in check.sources):
            check.problem("no_evidence", match[0])


def check_sides(check: Check) -> None:
    """The clause that is most like the statement's must have the same side of the same part."""
    for clause_said in check.said.clauses:
        end = clause_said.start + len(clause_said.text)
        for side in clause_said.sides:
            at = clause_said.start + side.start
            if any(a <= at < b for a, b in check.named):
                continue
            like = Likeness(check.text, clause_said.text)
            with_part = [
                (clause, other)
                for clause in check.clauses
                for other in clause.sides
                if not (side.part and other.part) or other.part[:1] == side.part[:1]
            ]
            same = [clause for clause, other in with_part if other.side == side.side]
            if side.side == "双" and any(clause_said.start <= a < end for a, _ in check.computed):
                # 右眼眼压15mmHg，左眼眼压14mmHg are 双眼眼压正常.
                continue
            opposite = [clause for clause, other in with_part if other.side != side.side]
            if not same or like.best(same) < like.best(opposite):
                check.problem("laterality", clause_said.text[side.start : side.end])
            else:
                check.use(max(same, key=like.score).source)


CHECKS: tuple[Callable[[Check], None], ...] = (
    check_patient,
    check_baby,
    check_value_words,
    check_regimens,
    check_use,
    check_quantities,
    check_order,
    check_trends,
    check_led,
    check_clocks,
    check_digits,
    check_latin_names,
    check_normal,
    check_procedures,
    check_bound_grades,
    check_levels,
    check_meal_doses,
    check_dates,
    check_places,
    check_sides,
    check_findings,
    check_sites,
    check_allergens,
    check_denials,
    check_denied_alone,
    check_stances,
    check_now,
    check_signs,
    check_examinations,
    check_susceptibility,
    check_confirmed,
    check_lasting,
    check_stages,
    check_outcomes,
    check_groups,
    check_before_after,
    check_stopped,
    check_removed,
    check_causes,
    check_bound_words,
    check_replacements,
    check_sequences,
    check_wording,
)
