"""What a test or a sign came to: value, unit, arrow, the range that the note gives."""

# ruff: noqa: E501 - a pattern reads best on one line

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence

from assistant.grounding.quantity import Quantity, quantities
from assistant.tasks.structuring.entity import Comparator, Flag, Measurement
from assistant.tasks.structuring.span import EntityType, TypedSpan
from knowledge.text.folding import fold

# The 3 of HCO3- 12 belongs to the name.
_CHARGE = re.compile(r"(?<=[A-Za-z])\d(?=[-+][ \t:：])")
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_GAP = re.compile(
    r"[ \t:=()\[\]*]*(?:检查|测定|检测|水平|计数|定量|结果|数值|值|浓度|百分比|比例|评分|示|提示|显示|回报|分级|最高|最低|波动|波动于|维持|控制"
    r"|升高|上升|增高|下降|降低|降|升|高|达|为|是|约|在|至|到|于|了|由|从|不?(?:超过|高于|大于|低于|少于|小于)|不足|[<>≤≥=])*[ \t:=(]*(?:(?<=[ \t:(])-(?=\d))?"
)
_SIZE_GAP = re.compile(
    r"[^。;\n]{0,6}?,?[ \t]*(?:大小|直径|长径|最大径|较大者?|范围|面积|体积|约|为|长约|最大截面|短径|[ \t:(])+"
)
_RESULT = re.compile(
    r"[ \t:(]*(?:突变|检查|检测|状态|试验|结果|示|提示|显示|为|呈|均|回报|:){0,4}?[ \t:(]*"
    r"(?P<word>弱阳性|强阳性|阳性|阴性|未见(?:明显)?异常|未见明显变化|正常(?!值|范围|参考)|异常|野生型|突变型?(?=\)|[,;。、\s]|$)|[-+±]{1,4}(?=\)|[,;。、\s]|$)|\d\+(?=\)|[,;。、\s]|$))"
)
_ARROW = re.compile(
    r"[ \t]*[(]?[ \t]*(?P<flag>↑+|↓+|偏高|升高|增高|降低|偏低|减低|(?<=[ \t(])[hl](?![a-z])|(?<=[ \t(])正常(?!值|范围|参考|[ \t:]*[<>≤≥‹›\d]))"
)


_ONE = r"\d{1,6}(?:\.\d{1,4})?"
_LABEL = r"(?:正常参考(?:值|范围)|参考(?:值|范围|区间)|正常(?:值|范围)?|参考)"


def _range(tag: str) -> str:
    """A range, or a limit on one side."""
    return (
        rf"(?:(?P<low{tag}>{_ONE})[ \t]*(?:-+|~|至)[ \t]*(?P<high{tag}>{_ONE})"
        rf"|(?P<sign{tag}>[<>≤≥‹›])[ \t]*(?P<limit{tag}>{_ONE}))"
    )


_REFERENCE = re.compile(
    rf"[ \t]*(?:[↑↓]+[ \t]*)?(?:[(\[][ \t]*(?:{_LABEL}[ \t:]*{_range('1')}|(?P<low4>{_ONE})[ \t]*(?:-+|~|至)[ \t]*(?P<high4>{_ONE}))[^()\[\]]{{0,16}}[)\]]"
    rf"|[ \t,]+{_LABEL}[ \t:]*{_range('2')}"
    rf"|[ \t]+(?P<low3>{_ONE})[ \t]*(?:-+|~|至)[ \t]*(?P<high3>{_ONE})(?=[ \t\r\n]|$))"
)
_ANGLES = str.maketrans("‹›", "<>")
_FLAGS: dict[str, Flag] = {
    "↑": "high", "偏": "high", "升": "high", "增": "high", "h": "high",
    "↓": "low", "降": "low", "减": "low", "l": "low", "正": "normal",
}  # fmt: skip
_WORD_FLAGS: tuple[tuple[str, Flag], ...] = (
    ("阴性", "negative"), ("阳性", "positive"), ("未见", "normal"), ("正常", "normal"),
    ("异常", "abnormal"), ("野生", "normal"), ("突变", "abnormal"), ("+", "positive"), ("±", "abnormal"), ("-", "negative"),
)  # fmt: skip
_MORE_SIZE = re.compile(r"[ \t]?[x×*][ \t]?(?P<next>\d{1,4}(?:\.\d{1,3})?)[ \t]?(?:cm|mm)")
# 8:00 0.02ng/ml: the hour is no result.  1:320 is a titre, where no number follows.
_CLOCK = re.compile(r"(?:[01]?\d|2[0-4]):[0-5]\d(?![\d:])")
_TITRE = re.compile(r"1:\d{1,5}(?![\d:.])")
# 88→356, 由110降至65: the later number is what it came to.
_TO = re.compile(
    r"[ \t]*(?:→|->|(?:逐渐|又|再|进一步|明显)?"
    r"(?:上升|升高|升|增高|增加|增|下降|降低|降|减少|减|回升|恢复)(?:至|到|为))[ \t]*"
)
# 3.2×10^5IU/mL, a viral load.
_POWER = re.compile(
    r"[ \t]?[x×*][ \t]?10\^?(?P<power>[3-8])(?!\d)(?!/l)[ \t]?(?P<per>iu/ml|copies/ml|拷贝/ml|/ml)?"
)
# 3.2×105IU/mL, where the power lost its height.
_FLAT_POWER = re.compile(
    r"(?P<number>\d(?:\.\d{1,2})?)[ \t]?[x×*][ \t]?10(?P<power>[3-9])[ \t]?"
    r"(?P<per>iu/ml|copies/ml|拷贝/ml|/ml)"
)
_PER = {"": "", "iu/ml": "IU/mL", "copies/ml": "copies/mL", "拷贝/ml": "copies/mL", "/ml": "/mL"}
_WANTED = re.compile(r"(?:目标|要求|力争|理想)[^,;。\n\d]{0,4}\Z")
_WANTED_AFTER = re.compile(r"[ \t]*(?:控制)?(?:目标|要求|应控制|需控制|应维持|宜)")
_QUOTIENT = re.compile(r"[a-z\u4e00-\u9fff]/\Z")
# 12.3 ↑ 10^9/L, as laboratories print it.
_LATE_UNIT = re.compile(
    r"[ \t]*(?P<arrow>[↑↓])[↑↓]*[ \t]*(?P<unit>[^ \t,;。\n()]{1,12})(?=[ \t,;。\n(]|$)"
)
_GOAL = re.compile(r"[ \t]?(?:以下|以上|左右|为目标|目标)")
# What can be less than nothing.
_SIGNED = re.compile(r"(?:be|剩余碱|[tz]值|ct值|评分)\Z")
_MINUS = re.compile(r"(?<=[ \t:(])-\Z")
# The text between a name and its number ends where the number begins.
_SIGN = re.compile(
    r"((?<![-=])(?:[<>]=?|[≤≥])|不(?:超过|高于|大于|低于|少于|小于)|小于|低于|不足|大于|高于|超过)[ \t]*\Z"
)
_COMPARATORS: dict[str, Comparator] = {
    "<": "<", "小于": "<", "低于": "<", "不足": "<",
    ">": ">", "大于": ">", "高于": ">", "超过": ">",
    "<=": "<=", "≤": "<=", "不超过": "<=", "不高于": "<=", "不大于": "<=",
    ">=": ">=", "≥": ">=", "不低于": ">=", "不少于": ">=", "不小于": ">=",
}  # fmt: skip
_LENGTHS = {"cm", "mm"}
_NOT_RESULTS = {"d", "h", "min", "周", "月", "年", "岁", "周期", "疗程", "片", "粒", "支", "袋"}
_MEASURED = {EntityType.TEST, EntityType.SIGN, EntityType.IMAGING, EntityType.DISEASE}


def numbers(text: str) -> list[Quantity]:
    """The quantities of ``text``; 10⁹ reads as 109 does before a unit."""
    return quantities(_CHARGE.sub(" ", text.translate(_SUPERSCRIPTS)))


def sign_before(folded: str, start: int, number: int) -> tuple[Comparator, int]:
    """The sign of the number at ``number``, looked for from ``start``, and where it begins."""
    sign = _SIGN.search(folded, start, number)
    return (_COMPARATORS[sign[1]], sign.start()) if sign else ("", number)


class Measurements:
    """The measurements of one text."""

    def __init__(self, text: str, found: Sequence[Quantity] | None = None) -> None:
        """``found`` are the quantities of ``text`` (`numbers`), where they are known already."""
        self._text = text
        self._folded = fold(text)
        self._quantities = numbers(text) if found is None else found
        self._starts = [quantity.start for quantity in self._quantities]

    def of(self, span: TypedSpan, limit: int) -> Measurement | None:
        """What ``span`` came to, looked for between it and ``limit``; None when nothing is said.

        A size belongs to what is seen, any other number to a test.
        """
        if span.type not in _MEASURED or self._is_goal(span):
            return None
        sized = span.type is not EntityType.TEST
        gap = (_SIZE_GAP if sized else _GAP).match(self._folded, span.end, limit)
        after = gap.end() if gap else span.end
        number = self._number(span.end, after, sized, limit)
        if number is not None:
            # AST/ALT 1.8 is neither's.
            quotient = _QUOTIENT.search(self._folded, 0, span.start) and "/" not in number.value
            return None if quotient and not sized else number
        return None if sized else self._word(span.end, limit)

    def _is_goal(self, span: TypedSpan) -> bool:
        """Whether the text tells what it is to be, not what it is."""
        return span.type is EntityType.TEST and bool(
            _WANTED.search(self._folded, max(0, span.start - 8), span.start)
            or _WANTED_AFTER.match(self._folded, span.end)
        )

    def _number(self, start: int, end: int, sized: bool, limit: int) -> Measurement | None:
        index = bisect_left(self._starts, start)
        if index == len(self._quantities):
            return None
        quantity = self._quantities[index]
        if clock := _CLOCK.match(self._folded, end, limit):
            gap = _GAP.match(self._folded, clock.end(), limit)
            after = gap.end() if gap else clock.end()
            later = bisect_left(self._starts, clock.end())
            if later < len(self._starts) and self._starts[later] == after:
                return self._number(clock.end(), after, sized, limit)
        if not sized and (titre := _TITRE.match(self._folded, end, limit)):
            words = self._text[titre.start() : titre.end()]
            return Measurement(start=titre.start(), end=titre.end(), text=words, value=titre[0])
        quantity = self._latest(index, sized, limit)
        if (
            self._quantities[index].start > end
            or quantity.end > limit
            or quantity.unit in _NOT_RESULTS
        ):
            return None
        if sized and quantity.unit not in _LENGTHS:
            return None
        if not quantity.parts:
            return None
        late = _LATE_UNIT.match(self._folded, quantity.end, limit) if not quantity.unit else None
        late_unit = _unit(late["unit"]) if late else ""
        stop = late.end() if late and late_unit else quantity.end
        flag, reference = self._judged(quantity, stop)
        if late and late_unit and flag in (None, "normal", "high", "low"):
            flag = _flag(late["arrow"])
        value = quantity.value
        # 1.2cm×0.8cm: every side has its unit.
        while sized and (more := _MORE_SIZE.match(self._folded, stop, limit)):
            stop, value = more.end(), f"{value}*{more['next']}"
        comparator, begin = sign_before(self._folded, start, quantity.start)
        unit = quantity.unit or late_unit
        if flat := _FLAT_POWER.match(self._folded, quantity.start, limit):
            stop, value = flat.end(), f"{flat['number']}×10^{flat['power']}"
            unit = _PER[flat["per"]]
        elif power := _POWER.match(self._folded, stop, limit):
            stop, value = power.end(), f"{value}×10^{power['power']}"
            unit = _PER[power["per"] or ""]
        negative = bool(
            not comparator
            and _MINUS.search(self._folded, start, begin)
            and _SIGNED.search(self._folded, 0, start)
        )
        begin -= negative
        return Measurement(
            start=begin,
            end=stop,
            text=self._text[begin:stop],
            value=f"-{value}" if negative else value,
            comparator=comparator,
            unit=unit,
            flag=flag,
            reference=reference,
        )

    def _latest(self, index: int, sized: bool, limit: int) -> Quantity:
        """The quantity, or what the text says that it has become."""
        quantity = self._quantities[index]
        for later in self._quantities[index + 1 : index + 4]:
            alike = later.unit == quantity.unit or not quantity.unit
            if sized or not alike or later.end > limit:
                break
            if not _TO.fullmatch(self._folded, quantity.end, later.start):
                break
            if _GOAL.match(self._folded, later.end):
                break
            quantity = later
        return quantity

    def _judged(self, quantity: Quantity, end: int) -> tuple[Flag | None, str]:
        """The mark behind a number, which ends with its unit at ``end``, and the range given with
        it."""
        arrow = _ARROW.match(self._folded, end, end + 8)
        given = _REFERENCE.match(self._folded, end, end + 48)
        flag: Flag | None = None
        if arrow:
            flag = _flag(arrow["flag"])
        if given is None:
            return flag, ""
        if flag is None and (later := _ARROW.match(self._folded, given.end(), given.end() + 8)):
            flag = _flag(later["flag"])
        low = given["low1"] or given["low2"] or given["low3"] or given["low4"]
        high = given["high1"] or given["high2"] or given["high3"] or given["high4"]
        value = float(quantity.parts[0]) if len(quantity.parts) == 1 else None
        if low is None:
            sign, limit = given["sign1"] or given["sign2"], given["limit1"] or given["limit2"]
            above = sign in ">≥›"
            if flag is None and value is not None:
                inside = value > float(limit) if above else value < float(limit)
                inside = inside or (sign in "≤≥" and value == float(limit))
                flag = "normal" if inside else "low" if above else "high"
            return flag, f"{sign.translate(_ANGLES)}{limit}"
        if flag is None and value is not None:
            flag = "low" if value < float(low) else "high" if value > float(high) else "normal"
        return flag, f"{low}-{high}"

    def _word(self, start: int, limit: int) -> Measurement | None:
        match = _RESULT.match(self._folded, start, limit)
        if match is None:
            return None
        word = match["word"]
        flag = next(flag for mark, flag in _WORD_FLAGS if mark in word)
        begin, end = match.span("word")
        return Measurement(
            start=begin, end=end, text=self._text[begin:end], value=self._text[begin:end], flag=flag
        )


def _unit(text: str) -> str:
    """A unit as it is known, "" where it is none."""
    found = quantities(f"1 {text}")
    return found[0].unit if found and found[0].end == len(text) + 2 else ""


def _flag(word: str) -> Flag:
    return "low" if word == "偏低" else _FLAGS[word[0]]


def limits(spans: Sequence[TypedSpan], length: int, reach: int = 40) -> list[int]:
    """For each span (in text order) how far what belongs to it can stand: to the next test."""
    ends: list[int] = []
    following = length
    for span in reversed(spans):
        ends.append(min(following, span.end + reach, length))
        if span.type in (EntityType.TEST, EntityType.IMAGING, EntityType.DRUG):
            following = span.start
    return ends[::-1]
