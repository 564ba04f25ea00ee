"""What a test or a sign came to: value, unit, arrow, the range that the note gives."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from assistant.tasks.structuring.entity import Flag, Measurement
from assistant.tasks.structuring.span import EntityType, TypedSpan
from knowledge.text.folding import fold
from knowledge.text.quantity import Quantity, changes, quantities, with_late_unit
from knowledge.text.times import clocks
from knowledge.text.units import Unit


def _any(words: str) -> str:
    return f"(?:{'|'.join(words.split())})"


_CHECKED = "检查 测定 检测 水平 计数 定量 结果 数值 值 浓度 百分比 比例 评分 示 提示 显示 回报 分级"
_MOVED = (
    "最高 最低 波动 波动于 维持 控制 升高 上升 增高 下降 降低 降 升 高"
    " 达 为 是 约 在 至 到 于 了 由 从 自"
)
_COMPARED = "不?(?:超过|高于|大于|低于|少于|小于) 不足 大于 [<>≤≥=]"
_GAP = re.compile(
    rf"[ \t:=()\[\]*]*{_any(f'{_CHECKED} {_MOVED} {_COMPARED}')}*"
    r"[ \t:=(]*(?:(?<=[ \t:(])-(?=\d))?"
)
_SIZED = "大小 直径 长径 最大径 较大者? 范围 面积 体积 约 为 长约 最大截面 短径 [\\x20\\t:(]"
_SIZE_GAP = re.compile(rf"[^。;\n]{{0,6}}?,?[ \t]*{_any(_SIZED)}+|(?=\d)")
_END = r"(?=\)|[,;。、\s]|$)"
_WORDS = (
    "弱阳性 强阳性 阳性 阴性 未见(?:明显)?异常 未见明显变化 正常(?!值|范围|参考) 异常 野生型"
    rf" 突变型?{_END} [-+±]{{1,4}}{_END} \d\+{_END}"
)
_TOLD = "突变 检查 检测 状态 试验 结果 示 提示 显示 为 呈 均 回报 :"
_RESULT = re.compile(rf"[ \t:(]*{_any(_TOLD)}{{0,4}}?[ \t:(]*(?P<word>{_any(_WORDS)})")
_MARKS = (
    "↑+ ↓+ 偏高 升高 增高 降低 偏低 减低 (?<=[\\x20\\t(])[hl](?![a-z])"
    " (?<=[\\x20\\t(])正常(?!值|范围|参考|[\\x20\\t]*[:<>≤≥‹›\\d])"
)
_ARROW = re.compile(rf"[ \t]*[(]?[ \t]*(?P<flag>{_any(_MARKS)})")
_LABEL = r"(?P<label>(?:正常)?参考(?:值|范围|区间)?|正常(?:值|范围)?)"
_REFERENCE = re.compile(
    rf"[ \t]*(?:[↑↓]+[ \t]*)?(?:(?P<open>[(\[])[ \t]*|(?P<apart>[ \t,]+)){_LABEL}?[ \t:]*"
)
_CLOSED = re.compile(r"[^()\[\]]{0,16}[)\]]")
_CELL_ENDS = re.compile(r"[ \t\r\n]|$")
_FLAGS: dict[str, Flag] = {
    "↑": "high", "偏": "high", "升": "high", "增": "high", "h": "high",
    "↓": "low", "降": "low", "减": "low", "l": "low", "正": "normal",
}  # fmt: skip
_WORD_FLAGS: tuple[tuple[str, Flag], ...] = (
    ("阴性", "negative"), ("阳性", "positive"), ("未见", "normal"), ("正常", "normal"),
    ("异常", "abnormal"), ("野生", "normal"), ("突变", "abnormal"), ("+", "positive"),
    ("±", "abnormal"), ("-", "negative"),
)  # fmt: skip
_WANTED = re.compile(r"(?:目标|要求|力争|理想)[^,;。\n\d]{0,4}\Z")
_WANTED_AFTER = re.compile(r"[ \t]*(?:控制)?(?:目标|要求|应控制|需控制|应维持|宜)")
_GOAL = re.compile(r"[ \t]?(?:为)?目标")
_QUOTIENT = re.compile(r"[a-z\u4e00-\u9fff]/\Z")
_LATE = re.compile(r"[ \t]*\)?[ \t]*(?:(?P<arrow>[↑↓])[↑↓]*)?[ \t]*")
# What can be less than nothing.
_SIGNED = re.compile(r"(?:be|剩余碱|[tz]值|ct值|评分)\Z")
# 血糖：餐前6.8，餐后11.2; 血压：左上肢150/90，右上肢130/80: several results of one test.
_LABELS = (
    "(?:[早午晚三]?餐|饭)[前后](?:\\d小时|\\d?h|半小时)? 空腹 睡前 随机 凌晨"
    " 晨起? 早上? 中午 晚上? 服药前 服药后 治疗前 治疗后 术前 术后 入院时? 出院时? 卧位 立位 坐位"
    " [左右](?:侧|上肢|下肢|手|眼|臂)?"
)
_LABELLED = re.compile(rf"[ \t:(,、;]*(?P<label>{_any(_LABELS)})(?:为|约|[ \t:])*")
_SIGNS = {"": "", "<": "<", ">": ">", "<=": "≤", ">=": "≥"}
_NEVER = ("months", "age", "tablets", "capsules", "ampoules", "bags", "cycles", "courses")
_MEASURED = {EntityType.TEST, EntityType.SIGN, EntityType.IMAGING, EntityType.DISEASE}


class Measurements:
    """The measurements of one text."""

    def __init__(
        self,
        text: str,
        found: Sequence[Quantity] | None = None,
        conditions: Sequence[tuple[int, int]] = (),
    ) -> None:
        """``found`` are the quantities of ``text``, where they are known already; what stands in
        ``conditions`` (体温＞38.5℃时服) was not measured."""
        self._text = text
        self._folded = fold(text)
        found = quantities(text) if found is None else found
        self._series = {
            quantity.start: series.quantities[number:]
            for series in changes(text, found)
            for number, quantity in enumerate(series.quantities)
        }
        self._quantities = [q for q in found if not any(a <= q.start < b for a, b in conditions)]
        self._starts = [quantity.start for quantity in self._quantities]
        self._clocks = {clock.start: clock.end for clock in clocks(text)}

    def of(self, span: TypedSpan, limit: int) -> Measurement | None:
        """What ``span`` came to, looked for between it and ``limit``; None when nothing is said.

        A size belongs to what is seen, any other number to a test.  Where several results are
        told, each with its label, it is the first.
        """
        return next(self.all_of(span, limit), None)

    def all_of(self, span: TypedSpan, limit: int) -> Iterator[Measurement]:
        """Every result of ``span``: more than one where each has its label (餐前6.8，餐后11.2)."""
        if span.type not in _MEASURED or self._is_goal(span):
            return
        sized = span.type is not EntityType.TEST
        gap = (_SIZE_GAP if sized else _GAP).match(self._folded, span.end, limit)
        after = gap.end() if gap else span.end
        number = self._number(span.end, after, sized, limit)
        if number is not None:
            # AST/ALT 1.8 is neither's.
            quotient = (
                _QUOTIENT.search(self._folded, max(0, span.start - 2), span.start)
                and "/" not in number.value
            )
            if sized or not quotient:
                yield number
        elif not sized:
            labelled = list(self._labelled(span.end, limit))
            word = None if labelled else self._word(span.end, limit)
            yield from labelled or ([word] if word else [])

    def _is_goal(self, span: TypedSpan) -> bool:
        """Whether the text tells what it is to be, not what it is."""
        return span.type is EntityType.TEST and bool(
            _WANTED.search(self._folded, max(0, span.start - 8), span.start)
            or _WANTED_AFTER.match(self._folded, span.end)
        )

    def _labelled(self, start: int, limit: int) -> Iterator[Measurement]:
        """The results that each have a label; those without a unit have that of the last."""
        found: list[Measurement] = []
        while label := _LABELLED.match(self._folded, start, limit):
            number = self._number(label.end(), label.end(), False, limit)
            if number is None:
                break
            begin = label.start("label")
            words = self._text[begin : number.end]
            found.append(number.model_copy(update={"start": begin, "text": words}))
            start = number.end
        unit = next((one.unit for one in reversed(found) if one.unit), "")
        for one in found:
            yield one if one.unit else one.model_copy(update={"unit": unit})

    def _number(self, start: int, end: int, sized: bool, limit: int) -> Measurement | None:
        """The measurement whose number stands between ``start`` and ``end``."""
        if end in self._clocks:
            # 8:00 0.02ng/ml: the hour is no result.
            start = self._clocks[end]
            gap = _GAP.match(self._folded, start, limit)
            end = gap.end() if gap else start
        index = bisect_left(self._starts, start)
        if index == len(self._quantities) or self._quantities[index].start > end:
            return None
        quantity = self._latest(self._quantities[index], sized, limit)
        if quantity.end > limit or not _is_result(quantity.unit, sized):
            return None
        return self._measured(quantity, start, limit)

    def _latest(self, quantity: Quantity, sized: bool, limit: int) -> Quantity:
        """The quantity, or what the text says that it has become."""
        latest = quantity
        for later in () if sized else self._series.get(quantity.start, ()):
            qualified = later.comparator and later.tail > later.end
            if later.end > limit or qualified or _GOAL.match(self._folded, later.end):
                break
            latest = later
        return latest

    def _measured(self, quantity: Quantity, start: int, limit: int) -> Measurement:
        stop = quantity.tail
        flag, reference, behind = self._judged(quantity, stop, limit)
        for at in (stop, behind):
            late = _LATE.match(self._folded, at, limit)
            found = with_late_unit(self._folded, quantity, late.end()) if late else None
            if late and found and found.tail <= limit and _ends(self._folded, found.tail):
                quantity, stop = found, found.tail
                if not reference:
                    flag, reference, _ = self._judged(quantity, stop, limit)
                if late["arrow"] and flag in (None, "normal", "high", "low"):
                    flag = _FLAGS[late["arrow"]]
                break
        begin = max(start, quantity.lead)
        negative = (
            quantity.minus and _SIGNED.search(self._folded, max(0, start - 4), start) is not None
        )
        begin -= negative
        return Measurement(
            start=begin,
            end=stop,
            text=self._text[begin:stop],
            value=f"-{quantity.value_text}" if negative else quantity.value_text,
            comparator=quantity.comparator,
            unit=quantity.unit_text,
            flag=flag,
            reference=reference,
        )

    def _judged(self, quantity: Quantity, end: int, limit: int) -> tuple[Flag | None, str, int]:
        """The mark behind a number, which ends with its unit at ``end``, the range given with it,
        and where both end."""
        arrow = _ARROW.match(self._folded, end, end + 8)
        flag = _flag(arrow["flag"]) if arrow else None
        given = self._reference(end)
        if given is None:
            return flag, "", arrow.end() if arrow else end
        limits, stop = given
        if flag is None and (later := _ARROW.match(self._folded, stop, stop + 8)):
            flag = _flag(later["flag"])
        if flag is None and quantity.shape == "one":
            flag = _against(quantity, limits)
        sign = limits.comparator
        return flag, f"{_SIGNS[sign]}{limits.value_text}", stop

    def _reference(self, at: int) -> tuple[Quantity, int] | None:
        """The range, or the limit on one side, that the note gives behind a value."""
        lead = _REFERENCE.match(self._folded, at)
        if lead is None:
            return None
        index = bisect_left(self._starts, lead.end())
        limits = self._quantities[index] if index < len(self._quantities) else None
        if limits is None or limits.lead > lead.end() or limits.start - lead.end() > 3:
            return None
        one_sided = limits.shape == "one" and limits.comparator and lead["label"]
        if limits.shape != "range" and not one_sided:
            return None
        stop = limits.end
        if lead["open"]:
            closed = _CLOSED.match(self._folded, stop)
            return (limits, closed.end()) if closed else None
        if not lead["label"] and ("," in lead["apart"] or not _CELL_ENDS.match(self._folded, stop)):
            return None
        return limits, stop

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


def _is_result(unit: Unit, sized: bool) -> bool:
    """Whether a number of this unit can be a size, or the result of a test."""
    if sized:
        return unit.measures("length")
    return not unit.measures(*_NEVER) and not (
        unit.measures("time") and unit.shown not in ("s", "ms")
    )


def _ends(folded: str, at: int) -> bool:
    return at == len(folded) or folded[at] in " \t,;。\n(、)"


def _flag(word: str) -> Flag:
    return "low" if word == "偏低" else _FLAGS[word[0]]


def _against(quantity: Quantity, limits: Quantity) -> Flag:
    """How a value stands to the range that the note gives."""
    value = quantity.numbers[0].written
    if limits.shape == "range":
        low, high = (number.written for number in limits.numbers)
        return "low" if value < low else "high" if value > high else "normal"
    limit = limits.numbers[0].written
    if limits.comparator[0] == ">":
        return (
            "normal" if value > limit or (value == limit and limits.comparator == ">=") else "low"
        )
    return "normal" if value < limit or (value == limit and limits.comparator == "<=") else "high"


def limits(spans: Sequence[TypedSpan], length: int, reach: int = 40) -> list[int]:
    """For each span (in text order) how far what belongs to it can stand: to the next test."""
    ends: list[int] = []
    following = length
    for span in reversed(spans):
        ends.append(min(following, span.end + reach, length))
        if span.type in (EntityType.TEST, EntityType.IMAGING, EntityType.DRUG):
            following = span.start
    return ends[::-1]
