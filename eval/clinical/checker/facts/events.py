"""Drawn events: their days and spans, what was done and what was only planned, which side."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from eval.clinical.checker.facts import spelling
from eval.clinical.checker.facts.draw import Dice, Draw, material, other


def _day(day: date, dice: Dice, *, short: bool = False) -> str:
    ways = [
        f"{day.year}-{day.month:02}-{day.day:02}",
        f"{day.year}年{day.month}月{day.day}日",
        f"{day.year}.{day.month}.{day.day}",
        f"{day.year}/{day.month:02}/{day.day:02}",
    ]
    return f"{day.month}月{day.day}日" if short else dice.choice(ways)


def date_draws(dice: Dice) -> Iterator[Draw]:
    """Two or three procedures, each on its day."""
    start = date(dice.randint(2019, 2025), dice.randint(1, 12), dice.randint(1, 28))
    days = [start + timedelta(days=n) for n in sorted(dice.sample(range(0, 40), 3))]
    done = dice.sample(material()["procedures"], 3)
    pairs = list(zip(days, done, strict=True))[: dice.choice((1, 2, 3))]
    mark = dice.choice(("，", "；", "。"))
    record = mark.join(f"{_day(d, dice)}行{p}" for d, p in pairs) + "。"
    day, procedure = dice.choice(pairs)
    short = dice.random() < 0.3
    yield Draw(
        "date",
        "reworded",
        record,
        dice.choice(
            (
                f"{_day(day, dice, short=short)}行{procedure}。",
                f"于{_day(day, dice)}行{procedure}。",
            )
        ),
        True,
    )
    kind = dice.choice(("day", "month", "year", "other event's day"))
    moved = day + timedelta(days=dice.choice((-3, -1, 1, 2, 10)))
    if kind == "month":
        moved = date(day.year, day.month % 12 + 1, min(day.day, 28))
    elif kind == "year":
        moved = date(day.year + dice.choice((-1, 1)), day.month, min(day.day, 28))
    elif kind == "other event's day" and len(pairs) > 1:
        moved = other(dice, [d for d, _ in pairs], day)
    if moved == day:
        moved += timedelta(days=45)
    yield Draw("date", kind, record, f"{_day(moved, dice)}行{procedure}。", False)


_UNITS = {"小时": "天", "天": "周", "周": "个月", "个月": "年", "年": "个月", "余天": "余年"}


def span_draws(dice: Dice) -> Iterator[Draw]:
    """How long a complaint has lasted, and how old the patient is."""
    finding, beside = dice.sample(material()["findings"], 2)
    n, unit = dice.choice((2, 3, 5, 6, 8, 10)), dice.choice(list(_UNITS)[:5])
    age = dice.randint(4, 92)
    spelled = str(n) if dice.random() < 0.7 else spelling.chinese(n)
    if spelled == "二":
        spelled = "两"
    record = f"患者{dice.choice('男女')}，{age}岁，因{finding}{spelled}{unit}"
    m = other(dice, (1, 4, 7, 9), n)
    record += dice.choice(("入院。", f"，{beside}{m}{unit}入院。", "就诊。"))
    if dice.random() < 0.25:
        record += f"{dice.choice(material()['relatives'])}{age + 23}岁，体健。"
        yield Draw("age", "relative's age", record, f"患者{age + 23}岁。", False)
        yield Draw("age", "reworded", record, f"患者{age}岁。", True)
        return
    yield Draw("span", "reworded", record, f"{finding}{n}{unit}。", True)
    wrongs = [
        ("unit", f"{finding}{n}{_UNITS[unit]}。"),
        ("number", f"{finding}{n + 1 if n + 1 != m else n + 2}{unit}。"),
        ("age", f"患者{age + dice.choice((1, 10))}岁。"),
    ]
    if beside in record:
        wrongs.append(("other finding's span", f"{finding}{m}{unit}。"))
    kind, text = dice.choice(wrongs)
    yield Draw("span", kind, record, text, False)


def done_draws(dice: Dice) -> Iterator[Draw]:
    """What was done, planned, refused or not done."""
    done, planned = dice.sample(material()["procedures"], 2)
    way = dice.choice(
        (
            "拟行{}",
            "建议行{}",
            "患者拒绝行{}",
            "未行{}",
            "暂不行{}",
            "择期行{}",
            "明日行{}",
            "拟择期行{}",
        )
    ).format(planned)
    record = dice.choice(
        (f"今日行{done}，{way}。", f"{way}。今日行{done}。", f"已行{done}；{way}。")
    )
    yield Draw("done", "reworded", record, f"行{done}。", True)
    yield Draw("done", "reworded", record, f"{way}。", True)
    false = dice.choice(
        ("已行{}。", "行{}。", "今日行{}。", "患者行{}，过程顺利。", "完成{}。")
    ).format(planned)
    yield Draw("done", "not done told as done", record, false, False)
    denied = dice.choice(("未行{}。", "患者拒绝行{}。")).format(done)
    yield Draw("done", "done told as not done", record, denied, False)


_OTHER = {"左": "右", "右": "左"}


def side_draws(dice: Dice) -> Iterator[Draw]:
    """Findings of one side, with another part's on the other."""
    (part, seen), (second, there) = dice.sample(material()["sided"], 2)
    what, also = dice.choice(seen), dice.choice(there)
    side = dice.choice("左右")
    opposite = _OTHER[side]
    form = dice.choice(("{}侧{}", "{}{}"))
    record = dice.choice(
        (
            f"{form.format(side, part)}{what}，{form.format(opposite, second)}{also}。",
            f"{form.format(opposite, second)}{also}；{form.format(side, part)}{what}。",
            f"{form.format(side, part)}{what}，{form.format(opposite, part)}未见异常。",
            f"{form.format(side, part)}{what}。",
        )
    )
    true = dice.choice(("{}侧{}{}。", "{}{}{}。"))
    yield Draw("side", "reworded", record, true.format(side, part, what), True)
    to = dice.choice((opposite, opposite, "双"))
    yield Draw("side", "other side", record, true.format(to, part, what), False)
