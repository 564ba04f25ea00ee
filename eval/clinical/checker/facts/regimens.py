"""Drawn regimens: a drug as it is given, and what a hurried writer makes of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from eval.clinical.checker.facts import spelling
from eval.clinical.checker.facts.draw import Dice, Draw, material, maybe, other

_UNIT_OF = {"g": ("mg", "ug"), "mg": ("g", "ug"), "ug": ("mg", "g"), "U": ("mg",), "IU": ("mg",)}
_PER_OF = {
    "kg·min": ("kg·h", "min"),
    "kg·h": ("kg·min", "h"),
    "min": ("h", "kg·min"),
    "h": ("min", "d"),
}
_SAME = (("日2", "12小时1"), ("日3", "8小时1"), ("日4", "6小时1"), ("日1", "晚1"))


@dataclass(frozen=True)
class Regimen:
    """A drug with its dose (``per``: kg·min …), route, frequency, days and whether as needed."""

    drug: str
    value: Decimal
    unit: str
    per: str = ""
    route: str = ""
    frequency: str = ""
    days: int = 0
    needed: str = ""


def _dose(text: str) -> tuple[Decimal, str, str]:
    value, _, unit = text.partition(" ")
    unit, _, per = unit.partition("/")
    return Decimal(value), unit, per.strip("()")


def draw_regimen(dice: Dice, *taken: str, days: float = 0.3) -> Regimen:
    """A regimen of a drug that is none of ``taken``; an infusion now and then."""
    infused = dice.random() < 0.2
    rows = [r for r in material()["infusions" if infused else "drugs"] if r[0] not in taken]
    rows = [r for r in rows if not any(r[0] in t or t in r[0] for t in taken)]
    row = dice.choice(rows)
    value, unit, per = _dose(dice.choice(row[1]))
    if infused:
        return Regimen(row[0], value, unit, per, "静脉泵入")
    lasting = dice.choice((3, 5, 7, 10, 14)) if dice.random() < days else 0
    return Regimen(row[0], value, unit, per, dice.choice(row[2]), dice.choice(row[3]), lasting)


def written(regimen: Regimen, dice: Dice, *, whole: bool = True) -> str:
    """The regimen as a ward writes it; not ``whole``: some of it may be left out."""

    def kept() -> bool:
        return whole or dice.random() < 0.7

    dose = spelling.dose(regimen.value, regimen.unit, dice, regimen.per)
    route = spelling.route(regimen.route, dice) if regimen.route and kept() else ""
    often = spelling.frequency(regimen.frequency, dice) if regimen.frequency and kept() else ""
    days = ""
    if regimen.days and kept():
        days = dice.choice(spelling.DURATIONS).format(n=regimen.days)
    drug, given = regimen.drug, maybe(dice, "予", 0.4)
    ways = [f"{given}{drug}{dose}{route}{often}{days}", f"{given}{drug} {dose}{often}{route}{days}"]
    if route and not route.isascii() and not regimen.needed:
        ways.append(f"{given}{route}{drug}{dose}{often}{days}")
    if not regimen.per and (route or often):
        ways.append(f"{given}{drug}每次{dose}{route}{often}{days}")
        ways.append(f"{given}{drug}（{dose}{route}{often}）{days}")
    text = dice.choice(ways)
    if regimen.needed:
        # A statement may say less than the record: as needed, not for what.
        before = dice.choice((f"{regimen.needed}时", "必要时")) if whole else "必要时"
        return dice.choice((f"{before}{text}", f"{text} prn", f"{text}，{before}用"))
    return text


def _changed_digit(value: Decimal, dice: Dice) -> Decimal:
    text = spelling.plain(value)
    places = [i for i, c in enumerate(text) if c.isdigit() and (c != "0" or i == 0)]
    at = dice.choice(places)
    lowest = "1" if at == 0 and len(text) > 1 and text[1] != "." else "0"
    digit = dice.choice([d for d in "0123456789" if d >= lowest and d != text[at]])
    found = Decimal(text[:at] + digit + text[at + 1 :])
    return found if found > 0 else value * 2


def _often_alike(one: str, two: str) -> bool:
    return one == two or any({one, two} <= set(group) for group in _SAME)


def wrong(regimen: Regimen, beside: Sequence[Regimen], dice: Dice) -> tuple[str, Regimen]:
    """The regimen with one thing changed, and what that is."""
    text = spelling.plain(regimen.value)
    ways: list[tuple[str, Regimen]] = [
        ("digit", replace(regimen, value=_changed_digit(regimen.value, dice))),
        ("decimal shift", replace(regimen, value=regimen.value * 10)),
        ("decimal shift", replace(regimen, value=regimen.value / 10)),
        ("unit", replace(regimen, unit=dice.choice(_UNIT_OF[regimen.unit]))),
        ("drug", replace(regimen, drug=draw_regimen(dice, regimen.drug, *names(beside)).drug)),
    ]
    if regimen.per:
        ways.append(("rate dropped", replace(regimen, per="")))
        ways.append(("rate", replace(regimen, per=dice.choice(_PER_OF[regimen.per]))))
    if regimen.value >= 1000:
        ways += [("separator", replace(regimen, value=regimen.value / 1000))] * 2
        if tail := Decimal(f"{int(regimen.value):,}".partition(",")[2].replace(",", "")):
            ways += [("tail", replace(regimen, value=tail))] * 2
    elif len(text) > 1 and text[1:].strip("0."):
        ways.append(("tail", replace(regimen, value=Decimal(text[1:].lstrip(".")))))
    if regimen.frequency:
        often = [f for f in spelling.FREQUENCIES if not _often_alike(f, regimen.frequency)]
        ways += [("frequency", replace(regimen, frequency=dice.choice(often)))] * 2
    if regimen.route and not regimen.per:
        way = other(dice, list(spelling.ROUTES), regimen.route, "静脉泵入")
        ways += [("route", replace(regimen, route=way))] * 2
    if regimen.days:
        days = other(dice, (3, 5, 7, 10, 14, 21), regimen.days)
        ways += [("duration", replace(regimen, days=days))] * 2
    for one in beside:
        mixed = replace(one, drug=regimen.drug, days=0)
        if mixed.per == regimen.per:
            ways += [("other drug's dose", mixed)] * 2
    ways = [(kind, one) for kind, one in ways if not _same(one, regimen)]
    return dice.choice(ways)


def names(regimens: Sequence[Regimen]) -> list[str]:
    """Their drugs."""
    return [one.drug for one in regimens]


_MASS = {"g": Decimal(1000000), "mg": Decimal(1000), "ug": Decimal(1)}


def same_amount(one: Regimen, two: Regimen) -> bool:
    """Whether both give as much, in whatever unit."""
    equal = one.value * _MASS.get(one.unit, Decimal(1)) == two.value * _MASS.get(two.unit, 1)
    return equal and (one.unit in _MASS) == (two.unit in _MASS) and one.per == two.per


def _same(one: Regimen, two: Regimen) -> bool:
    """Whether they say the same of one drug."""
    if one.drug != two.drug:
        return False
    alike = same_amount(one, two) and one.route == two.route
    return alike and _often_alike(one.frequency, two.frequency) and one.days == two.days


_LEADS = ("入院后", "", "", "诊断明确，", "住院期间", "完善检查后", "昨日起")
_TAILS = ("", "", "", "治疗", "抗感染治疗", "，患者耐受可")


def _record(regimens: Sequence[Regimen], dice: Dice) -> str:
    texts = [written(one, dice) for one in regimens]
    if dice.random() < 0.2:
        return "".join(f"{n}.{text}；\n" for n, text in enumerate(texts, 1))
    joint = dice.choice(("，", "；", "，同时", "，并", "。")) if len(texts) > 1 else ""
    return f"{dice.choice(_LEADS)}{joint.join(texts)}{dice.choice(_TAILS)}。"


def regimen_draws(dice: Dice) -> Iterator[Draw]:
    """One to three drugs in a record; one of them told truly, and with one thing changed."""
    found: list[Regimen] = []
    for _ in range(dice.choice((1, 1, 2, 3))):
        found.append(draw_regimen(dice, *names(found)))
    if dice.random() < 0.15:
        found[0] = replace(found[0], needed=dice.choice(("疼痛", "发热", "失眠")), days=0)
    record = _record(found, dice)
    one = dice.choice(found)
    yield Draw("regimen", "reworded", record, f"{written(one, dice, whole=False)}。", True)
    if one.needed:
        bare = written(replace(one, needed=""), dice)
        yield Draw("regimen", "prn dropped", record, f"{bare}。", False)
        return
    kind, bad = wrong(one, [r for r in found if r is not one], dice)
    yield Draw("regimen", kind, record, f"{written(bad, dice)}。", False)
