"""The ways in which a ward writes one number, dose, route, frequency or time."""

from __future__ import annotations

from decimal import Decimal

from eval.clinical.checker.facts.draw import Dice

_WIDE = str.maketrans("0123456789.,", "０１２３４５６７８９．，")
_CHINESE = "零一二三四五六七八九十"
UNITS = {
    "g": ("g", "g", "克", "G"),
    "mg": ("mg", "mg", "毫克", "MG"),
    "ug": ("μg", "ug", "mcg", "微克", "µg"),
    "U": ("U", "U", "单位", "u"),
    "IU": ("IU", "IU", "iu"),
    "mL": ("ml", "mL", "毫升"),
}
PERS = {
    "kg·min": ("/(kg·min)", "/kg/min", "/(kg.min)", "·kg-1·min-1", "/(kg*min)"),
    "kg·h": ("/(kg·h)", "/kg/h", "/(kg.h)", "·kg-1·h-1"),
    "kg·d": ("/(kg·d)", "/kg/d"),
    "min": ("/min", "/分钟", "/分"),
    "h": ("/h", "/小时", "/hr"),
    "kg": ("/kg",),
    "d": ("/d", "/日", "/天"),
}
ROUTES = {
    "口服": ("口服", "po", "PO"),
    "静脉滴注": ("静脉滴注", "静滴", "ivgtt", "iv gtt", "静点"),
    "静脉注射": ("静脉注射", "静注", "静推", "iv", "IV", "静脉推注"),
    "静脉泵入": ("静脉泵入", "泵入", "持续泵入", "微量泵泵入"),
    "皮下注射": ("皮下注射", "ih", "皮下", "H", "sc"),
    "肌内注射": ("肌内注射", "肌注", "im", "肌肉注射"),
    "雾化吸入": ("雾化吸入", "雾化"),
}
FREQUENCIES = {
    "日1": ("每日1次", "qd", "1次/日", "每天一次", "一日1次", "QD", "1次/天", "每日一次"),
    "日2": ("每日2次", "bid", "2次/日", "每天两次", "一日2次", "BID", "每日二次", "2次/天"),
    "日3": ("每日3次", "tid", "3次/日", "每天三次", "一日三次", "TID", "每日三次", "3次/天"),
    "日4": ("每日4次", "qid", "4次/日", "每天四次", "一日4次", "QID"),
    "晚1": ("每晚1次", "qn", "每晚一次", "QN"),
    "隔日1": ("隔日1次", "qod", "隔日一次"),
    "周1": ("每周1次", "qw", "1次/周", "每周一次"),
    "周3": ("每周3次", "3次/周", "每周三次", "tiw"),
    "6小时1": ("每6小时1次", "q6h", "Q6H", "6小时一次", "1次/6小时", "每6小时一次"),
    "8小时1": ("每8小时1次", "q8h", "Q8H", "8小时一次", "每8h一次", "每八小时一次"),
    "12小时1": ("每12小时1次", "q12h", "Q12H", "12小时一次", "1次/12h", "每12小时一次"),
}
DURATIONS = ("，共{n}天", "×{n}天", "，连用{n}天", "，疗程{n}天", "，持续{n}天")


def plain(value: Decimal) -> str:
    """Digits without an exponent or needless zeros."""
    text = f"{value.normalize():f}"
    return text


def number(value: Decimal, dice: Dice, *, wan: bool = False) -> str:
    """The number, with its thousands apart or in full width now and then; 万 where it may be."""
    text = plain(value)
    ways = [text, text, text, text.translate(_WIDE)]
    if value >= 1000 and value == value.to_integral_value():
        ways += [f"{int(value):,}", f"{int(value):,}"]
        # Between other digits a full-width comma may part two numbers.
        ways += [f"{int(value):,}".replace(",", "，")] if value % 100 == 0 else []
    if "." in text and len(text.partition(".")[2]) == 1:
        ways.append(text + "0")
    if wan and value >= 5000 and value % 500 == 0:
        ways += [plain(value / 10000) + "万"] * 2
    return dice.choice(ways)


def dose(value: Decimal, unit: str, dice: Dice, per: str = "") -> str:
    """A dose, in an equal unit now and then."""
    if not per:
        if unit == "g" and value <= 1:
            value, unit = dice.choice([(value, unit), (value * 1000, "mg")])
        elif unit == "mg" and (value >= 500 or value <= Decimal("0.5")):
            smaller = (value * 1000, "ug") if value <= Decimal("0.5") else (value / 1000, "g")
            value, unit = dice.choice([(value, unit), smaller])
    wan = unit in ("U", "IU") and not per
    written = number(value, dice, wan=wan) + dice.choice(("", "", " "))
    if per and dice.random() < 0.1:
        weight = "每公斤" if "kg" in per else ""
        time = {"min": "每分钟", "h": "每小时", "d": "每天"}.get(per.rpartition("·")[2], "")
        if weight + time:
            return f"{weight}{time}{written}{dice.choice(UNITS[unit])}"
    return written + dice.choice(UNITS[unit]) + (dice.choice(PERS[per]) if per else "")


def route(name: str, dice: Dice) -> str:
    """A route; Latin ones stand apart."""
    return spaced(dice.choice(ROUTES[name]))


def frequency(name: str, dice: Dice) -> str:
    """A frequency; Latin ones and those that begin with a digit stand apart."""
    return spaced(dice.choice(FREQUENCIES[name]))


def spaced(text: str) -> str:
    """With a space before it where it would run into what is before."""
    return f" {text}" if text and text[0].isascii() else text


def chinese(value: int) -> str:
    """A whole number under 1000 in Chinese numerals."""
    if value <= 10:
        return _CHINESE[value]
    hundreds, rest = divmod(value, 100)
    tens, ones = divmod(rest, 10)
    text = f"{_CHINESE[hundreds]}百" if hundreds else ""
    if tens:
        text += ("" if tens == 1 and not hundreds else _CHINESE[tens]) + "十"
    elif ones:
        text += "零"
    return text + (_CHINESE[ones] if ones else "")
