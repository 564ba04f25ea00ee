"""Checks of numbers: drugs with dose, frequency and route, and quantities beside their words."""

from __future__ import annotations

import re

from assistant.grounding.check import Check
from assistant.grounding.facts import sides
from assistant.grounding.quantity import RATES, Quantity, quantities
from assistant.grounding.source import Clause, Likeness, Regimen, clause_ranges, regimens
from assistant.grounding.wording import bigrams


def check_regimens(check: Check) -> None:
    """A drug must be in the record, and one mention of it must have all that is said of it here."""
    for regimen in regimens(check.text, check.drugs):
        same = [
            (s, r) for s in check.sources for r in s.regimens if _same_drug(regimen.drug, r.drug)
        ]
        holding = [s for s in check.sources if regimen.drug in s.segment.text]
        holding += [s for s, _ in same if s not in holding]
        if not same and not holding:
            check.problem("drug", regimen.drug)
            continue
        fitting = [s for s, r in same if _regimen_holds(regimen, r)]
        if fitting:
            wanted = bigrams(check.text)
            check.use(max(fitting, key=lambda s: len(wanted & s.bigrams)))
        elif _doses(regimen) or regimen.frequencies or regimen.routes:
            check.problem("dose", regimen.text.strip("，。；,; "))
        else:
            check.use(holding[0])


_DOSE_UNITS = frozenset(
    {"mg", "g", "ug", "mg/kg", "ug/kg", "mL", "U", "IU", "AxaIU", "万U", "片", "粒", "支", "袋"}
    | RATES.keys()
)
_DOSING = bigrams("每次，剂量，加量，减量，总量，首剂，负荷，维持，增至，减至")


def _doses(regimen: Regimen) -> list[Quantity]:
    """The doses of the drug: those in its clause, and further on those that no other word claims.

    In 头孢呋辛1.5g静脉滴注，术中出血150ml the volume is of something else.
    """
    at = regimen.text.find(regimen.drug)
    end = next((b for a, b in clause_ranges(regimen.text) if a <= at < b), len(regimen.text))
    return [
        q
        for q in regimen.quantities
        if q.unit in _DOSE_UNITS and (q.start < end or not q.before or q.before & _DOSING)
    ]


_FORMULATION = re.compile(
    r"注射用|注射液|(?:缓释|控释|肠溶|分散|咀嚼|口服|软)?(?:片|胶囊|颗粒|溶液|混悬液|滴丸)|盐酸|硫酸|钠$|钾$|[（(].*[)）]"
)


def _same_drug(said: str, written: str) -> bool:
    """头孢曲松 is 注射用头孢曲松钠; 地特胰岛素 is not 胰岛素."""
    return said in written or _FORMULATION.sub("", said) == _FORMULATION.sub("", written)


def _regimen_holds(wanted: Regimen, written: Regimen) -> bool:
    doses = all(
        any(_values_agree(d, q) and d.unit == q.unit for q in written.quantities)
        for d in _doses(wanted)
    )
    times = {t.value for t in wanted.frequencies} <= {t.value for t in written.frequencies}
    ways = {t.value for t in wanted.routes} <= {t.value for t in written.routes}
    return doses and times and ways


def check_quantities(check: Check) -> None:
    """Each number must stand, with its unit, beside the same words in some clause."""
    doses = {r.text[q.start : q.end] for r in regimens(check.text, check.drugs) for q in _doses(r)}
    for start, end in clause_ranges(check.text):
        clause = check.text[start:end]
        side = sides(clause)
        for quantity in quantities(clause):
            written = clause[quantity.start : quantity.end]
            if written in doses:
                continue
            same_value = [
                (c, q) for c in check.clauses for q in c.quantities if _values_agree(quantity, q)
            ]
            same_unit = [(c, q) for c, q in same_value if _units_agree(quantity, q)]
            same = [
                c
                for c, q in same_unit
                if _places_agree(quantity, q, c) and (not side or _same_side(c, clause))
            ]
            if same:
                like = Likeness(check.text, clause)
                check.use(max(same, key=like.score).source)
            elif same_value and not same_unit:
                check.problem("unit", written)
            else:
                check.problem("number", written)


def _values_agree(wanted: Quantity, written: Quantity) -> bool:
    """The same number, or one number of a compound (160 of 160/95)."""
    return wanted.value == written.value or (
        len(wanted.parts) == 1 and len(written.parts) > 1 and wanted.value in written.parts
    )


def _units_agree(wanted: Quantity, written: Quantity) -> bool:
    if wanted.unit == written.unit:
        return True
    # 每小时5ml is 5ml/h: a rate may be told in words.
    if RATES.get(wanted.unit) == written.unit or RATES.get(written.unit) == wanted.unit:
        return True
    return not wanted.unit and written.unit in {"", "次", "次/分", "mmHg"}


def _places_agree(wanted: Quantity, written: Quantity, clause: Clause) -> bool:
    """Whether both numbers belong to the same word: the one before them, else the one after.

    Where a clause is a bare number (a list, a table's cell), its sentence's words stand for it.
    """
    before = written.before or frozenset(
        clause.source.bigrams if not written.after else written.after
    )
    if wanted.before:
        return bool(wanted.before & before) or bool(wanted.before & written.after)
    if wanted.after:
        return bool(wanted.after & (written.after | before))
    return True


def _same_side(clause: Clause, statement: str) -> bool:
    wanted = {(s.side, s.part[:1]) for s in sides(statement)}
    return not clause.sides or bool(wanted & {(s.side, s.part[:1]) for s in clause.sides})
