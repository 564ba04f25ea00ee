"""Drawn courses of a drug: changed, stopped, planned, withheld."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from eval.clinical.checker.facts import spelling
from eval.clinical.checker.facts.draw import Dice, Draw, material, other
from eval.clinical.checker.facts.regimens import Regimen, draw_regimen, same_amount, written

_LATER = (
    "，后改为",
    "，3天后改为",
    "，第3天起改为",
    "，因疗效欠佳改为",
    "，后调整为",
    "，随后改为",
)


def _two(dice: Dice) -> tuple[Regimen, Regimen]:
    """A drug at two doses that differ in the frequency as well."""
    while True:
        first = draw_regimen(dice, days=0)
        row = next(r for k in ("drugs", "infusions") for r in material()[k] if r[0] == first.drug)
        often = [f for f in (row[3] if len(row) > 2 else [""]) if f != first.frequency]
        doses = [Decimal(d.split(" ")[0]) for d in row[1] if d.split(" ")[1] == first.unit]
        doses = [d for d in doses if d != first.value]
        if first.per or not often or not doses:
            continue
        route = dice.choice(row[2])
        return first, replace(
            first, value=dice.choice(doses), frequency=dice.choice(often), route=route
        )


def _short(one: Regimen, dice: Dice, *, route: bool = True) -> str:
    """Without the drug's name."""
    way = spelling.route(one.route, dice) if route else ""
    often = spelling.frequency(one.frequency, dice)
    return f"{spelling.dose(one.value, one.unit, dice)}{often}{way}"


def change_draws(dice: Dice) -> Iterator[Draw]:
    """A drug whose dose and frequency were changed."""
    first, second = _two(dice)
    up = second.value > first.value
    later = dice.choice((*_LATER, "，后加量至" if up else "，后减量至", "→"))
    record = f"{written(first, dice)}{later}{_short(second, dice)}。"
    drug = first.drug
    now = dice.choice(("目前", "现", "后改为", "最终改为"))
    said = f"{now}{drug}{_short(second, dice)}"
    if now.endswith("改为"):
        said = f"{drug}{now}{_short(second, dice)}"
    truths = [
        ("second regimen", said),
        ("both", f"{drug}{_short(first, dice)}，后改为{_short(second, dice)}"),
        ("first, said so", f"{drug}初始{_short(first, dice)}"),
    ]
    kind, text = dice.choice(truths)
    yield Draw("change", kind, record, f"{text}。", True)
    mixed = replace(first, value=second.value)
    crossed = replace(second, value=first.value)
    wrongs = [
        ("doses mixed", f"{drug}{_short(mixed, dice)}"),
        ("doses mixed", f"{drug}{_short(crossed, dice)}"),
        ("superseded as current", f"目前{drug}{_short(first, dice)}"),
        ("superseded as current", f"现予{written(first, dice).removeprefix('予')}"),
        ("order", f"{drug}{_short(second, dice)}，后改为{_short(first, dice)}"),
    ]
    if first.route == second.route and _alike(first, second):
        wrongs = wrongs[2:]
    kind, text = dice.choice(wrongs)
    yield Draw("change", kind, record, f"{text}。", False)


def _alike(one: Regimen, two: Regimen) -> bool:
    often = {one.frequency, two.frequency}
    same = ({"日2", "12小时1"}, {"日3", "8小时1"}, {"日4", "6小时1"}, {"日1", "晚1"})
    return any(often <= group for group in same)


def stop_draws(dice: Dice) -> Iterator[Draw]:
    """A drug that was stopped, is only planned, or was not given."""
    one = draw_regimen(dice, days=0)
    beside = draw_regimen(dice, one.drug, days=0)
    text = written(one, dice).removeprefix("予")
    drug = one.drug
    way = dice.choice(("stopped", "stopped", "planned", "not given"))
    if way == "stopped":
        told = dice.choice(
            (
                f"{text}，3天后停用",
                f"{text}，因皮疹停用",
                f"{text}（已停用）",
                f"停用{drug}",
                f"{text}，昨日停药",
            )
        )
        true = dice.choice((f"{drug}已停用", f"停用{drug}"))
    elif way == "planned":
        told = dice.choice((f"拟予{text}", f"建议{text}", f"下一步拟予{text}", f"计划予{text}"))
        true = dice.choice((f"拟予{text}", f"计划予{text}"))
    else:
        told = dice.choice((f"患者拒绝{drug}治疗", f"未予{drug}", f"未使用{drug}", f"暂不予{drug}"))
        true = told
    record = dice.choice(
        (f"{told}。{written(beside, dice)}。", f"{written(beside, dice)}。{told}。", f"{told}。")
    )
    yield Draw("course", f"{way}, said so", record, f"{true}。", True)
    given = dice.choice((f"目前{text}", f"予{text}", f"给予{text}", f"继续{text}"))
    yield Draw("course", f"{way}, told as given", record, f"{given}。", False)


def unread_draws(dice: Dice) -> Iterator[Draw]:
    """Several rows of a drug list, one told with a neighbour's dose."""
    rows = [draw_regimen(dice, days=0)]
    for _ in range(dice.choice((2, 3, 4))):
        rows.append(draw_regimen(dice, *(r.drug for r in rows), days=0))
    lines = [written(r, dice).removeprefix("予") for r in rows]
    mark = dice.choice(("\n", "；", "，", "、"))
    record = f"{dice.choice(('出院带药：', '用药：', '长期医嘱：', ''))}{mark.join(lines)}。"
    one = dice.choice(rows)
    yield Draw("list", "reworded", record, f"{written(one, dice, whole=False)}。", True)
    neighbour = other(dice, [r for r in rows if r is not one])
    if not same_amount(neighbour, one):
        mixed = replace(
            one, value=neighbour.value, unit=neighbour.unit, per=neighbour.per, frequency=""
        )
        yield Draw("list", "neighbour's dose", record, f"{written(mixed, dice)}。", False)
