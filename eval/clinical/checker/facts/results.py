"""Drawn results and vital signs: values with units, ranges, arrows, changes, pairs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from eval.clinical.checker.facts import spelling
from eval.clinical.checker.facts.draw import Dice, Draw, material, maybe, other

_UNIT_FORMS = {
    "10^9/L": ("×10^9/L", "*10^9/L", "×10⁹/L", "X10^9/L", "×10E9/L"),
    "μmol/L": ("μmol/L", "umol/L", "µmol/L"),
    "ng/mL": ("ng/mL", "ng/ml"),
    "pg/mL": ("pg/mL", "pg/ml"),
    "U/L": ("U/L", "IU/L", "u/L")[:1],
}
_OTHER_UNITS = {
    "10^9/L": "10^12/L",
    "g/L": "mg/L",
    "mg/L": "g/L",
    "ng/mL": "pg/mL",
    "pg/mL": "ng/mL",
    "mmol/L": "μmol/L",
    "μmol/L": "mmol/L",
    "U/L": "kU/L",
    "%": "g/L",
}


@dataclass(frozen=True)
class Result:
    """A test with its value; ``sign`` is a comparator."""

    names: tuple[str, ...]
    value: Decimal
    unit: str
    sign: str = ""


def draw_result(dice: Dice, *taken: str) -> Result:
    """A result of a test that is none of ``taken``."""
    rows: list[Any] = [r for r in material()["tests"] if r[0][0] not in taken]
    names, unit, values = dice.choice(rows)
    value = Decimal(str(dice.choice(values)))
    if dice.random() < 0.4:
        value = (value * dice.randint(60, 180) / 100).quantize(value)
    sign = dice.choice(("＜", "<", ">", "≥", "≤")) if dice.random() < 0.08 else ""
    return Result(tuple(names), value, unit, sign)


def written(one: Result, dice: Dice, *, name: str = "", flagged: str = "") -> str:
    """The result as a report or a note writes it."""
    unit = dice.choice(_UNIT_FORMS.get(one.unit, (one.unit,)))
    if unit == "×10⁹/L" and _OTHER_UNITS:
        unit = dice.choice(("×10⁹/L", "×10^9/L"))
    mark = dice.choice(("", "", " ", "：", "为", ":", " "))
    gap = "" if unit.startswith(("×", "*", "X")) else maybe(dice, " ", 0.2)
    called = name or dice.choice(one.names)
    if not mark and called in ("肌钙蛋白I", "HbA1c", "cTnI"):
        mark = " "  # letters and digits would run together
    return f"{called}{mark}{one.sign}{spelling.number(one.value, dice)}{gap}{unit}{flagged}"


def _other_value(value: Decimal, dice: Dice) -> tuple[str, Decimal]:
    text = spelling.plain(value)
    ways = [("digit", value + dice.choice((1, 2, 10))), ("decimal shift", value * 10)]
    if value >= 1000:
        tail = f"{int(value):,}".partition(",")[2]
        ways += [("tail", Decimal(tail)), ("separator", value / 1000)]
    elif "." in text:
        ways.append(("point lost", Decimal(text.replace(".", "").lstrip("0") or "1")))
    elif len(text) > 1 and text[1:].strip("0"):
        ways.append(("tail", Decimal(text[1:])))
    kind, found = dice.choice([(k, v) for k, v in ways if v not in (0, value)])
    return kind, found


_HEADS = ("", "查血：", "辅助检查：", "入院查", "复查", "急诊查", "实验室检查：")


def result_draws(dice: Dice) -> Iterator[Draw]:
    """Two to four results in one sentence, with a reference range now and then."""
    found: list[Result] = []
    for _ in range(dice.choice((2, 3, 4))):
        found.append(draw_result(dice, *(r.names[0] for r in found)))
    values = {r.value for r in found}
    one = dice.choice(found)
    low, high = one.value / 4, one.value / 2
    ranged = dice.random() < 0.3 and not one.sign and one.unit != "%"
    places = Decimal("0.1") if one.value < 100 else Decimal(1)
    limits = (low.quantize(places), high.quantize(places))
    reference = f"（参考值{limits[0]}-{limits[1]}）" if ranged else ""
    parts = [
        written(r, dice, name=r.names[0], flagged=reference or maybe(dice, "↑", 0.2))
        if r is one
        else written(r, dice, name=r.names[0])
        for r in found
    ]
    record = f"{dice.choice(_HEADS)}{dice.choice(('，', '、', '；', ', ')).join(parts)}。"
    said = written(one, dice)
    yield Draw("result", "reworded", record, f"{said}。", True)
    kind, value = _other_value(one.value, dice)
    wrongs: list[tuple[str, Result]] = [("unit", replace(one, unit=_OTHER_UNITS[one.unit]))]
    if value not in values:
        wrongs += [(kind, replace(one, value=value))] * 2
    mine = other(dice, [r for r in found if r is not one])
    if mine.value != one.value:
        wrongs.append(("other test's value", replace(one, value=mine.value)))
    if ranged and limits[1] not in values:
        wrongs += [("reference as value", replace(one, value=limits[1]))] * 3
    if one.sign:
        turned = {"＜": ">", "<": ">", ">": "<", "≥": "<", "≤": ">"}[one.sign]
        wrongs += [("comparator", replace(one, sign=turned))] * 3
    else:
        wrongs.append(("comparator", replace(one, sign=dice.choice("<>"))))
    kind, bad = dice.choice(wrongs)
    yield Draw("result", kind, record, f"{written(bad, dice)}。", False)


def course_draws(dice: Dice) -> Iterator[Draw]:
    """A result that rose or fell."""
    first = draw_result(dice)
    factor = dice.choice(("0.5", "0.25", "1.5", "2.5"))
    value = (first.value * Decimal(factor)).quantize(first.value)
    if value in (0, first.value):
        return
    first = replace(first, sign="")
    second = replace(first, value=value)
    up = second.value > first.value
    name = first.names[0] + ("" if first.names[0][-1] > "z" else " ")
    a, b = spelling.number(first.value, dice), written(second, dice, name="x")
    b = b[1:].lstrip("：:为 ")
    verb, turned = ("升至", "降至") if up else ("降至", "升至")
    way, back = ("升高", "下降") if up else ("下降", "升高")
    record = dice.choice(
        (
            f"{name}由{a}{verb}{b}。",
            f"{name}{a}，复查{verb}{b}。",
            f"入院时{written(first, dice, name=name)}，复查{b}，较前{way}。",
        )
    )
    truths = [f"{name}{verb}{b}", f"{name}较前{way}", f"{name}由{a}{verb}{b}"]
    if "较前" not in record:
        truths.pop(1)
    yield Draw("trend", "reworded", record, f"{dice.choice(truths)}。", True)
    yield Draw(
        "trend",
        *dice.choice(
            (
                ("direction", record, f"{name}{turned}{b}。"),
                ("direction", record, f"{name}较前{back}。"),
                ("order", record, f"{name}由{b}{turned}{a}。"),
                ("first as last", record, f"复查{name}{verb}{a}。"),
            )
        ),
        False,
    )


_VITALS = ("T", "P", "R", "BP", "SpO2")
_NAMES = {
    "T": ("T", "体温"),
    "P": ("P", "脉搏"),
    "R": ("R", "呼吸"),
    "BP": ("BP", "血压"),
    "SpO2": ("SpO2", "血氧饱和度"),
}


def _vital(name: str, value: str, dice: Dice) -> str:
    unit = {"T": "℃", "P": "次/分", "R": "次/分", "BP": "mmHg", "SpO2": "%"}[name]
    if name in "PR" and dice.random() < 0.15:
        value = spelling.chinese(int(value))
    called = dice.choice(_NAMES[name])
    if value[0] in "零一二三四五六七八九十百":
        called = _NAMES[name][1]
    gap = " " if called == "SpO2" else maybe(dice, " ", 0.5)
    return f"{called}{gap}{value}{unit}"


def vital_draws(dice: Dice) -> Iterator[Draw]:
    """Vital signs of one moment."""
    high = dice.randint(96, 198)
    low = dice.randint(50, min(110, high - 25))
    values = {
        "T": f"{dice.randint(362, 405) / 10:.1f}",
        "P": str(dice.randint(58, 140)),
        "R": str(dice.randint(14, 38)),
        "BP": f"{high}/{low}",
        "SpO2": str(dice.randint(80, 99)),
    }
    shown = [n for n in _VITALS if n != "SpO2" or dice.random() < 0.5]
    mark = dice.choice(("，", "，", "、", ", "))
    record = mark.join(_vital(n, values[n], dice) for n in shown)
    record = f"{dice.choice(('查体：', '入院查体：', '', '体格检查：'))}{record}。"
    name = dice.choice(shown)
    yield Draw("vital", "reworded", record, f"{_vital(name, values[name], dice)}。", True)
    kind, value = "digit", values[name]
    if name == "BP":
        kind, value = dice.choice(
            (
                ("pair swapped", f"{low}/{high}"),
                ("digit", f"{high + 10}/{low}"),
                ("digit", f"{high}/{low + dice.choice((2, 5, 10))}"),
            )
        )
    elif name == "T":
        value = f"{float(value) + dice.choice((0.5, 1.0, -0.3)):.1f}"
    elif name in "PR" and dice.random() < 0.4:
        kind, value = "other sign", values["R" if name == "P" else "P"]
    elif int(value) > 100 and dice.random() < 0.5:
        kind, value = "tail", str(int(value) % 100 or 99)
    else:
        value = str(int(value) + dice.choice((1, 2, 10)))
    yield Draw("vital", kind, record, f"{_vital(name, value, dice)}。", False)
