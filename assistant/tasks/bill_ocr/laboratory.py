"""Results of a laboratory sheet: where a value lies in its range."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal

from assistant.tasks.bill_ocr.document import Cell, Item
from assistant.tasks.bill_ocr.labels import folded
from assistant.tasks.bill_ocr.values import decimal_of

_BETWEEN = re.compile(r"(\d+(?:\.\d+)?)\s*(?:-{1,2}|—|~|～|至)\s*(\d+(?:\.\d+)?)")
_BELOW = re.compile(r"[<≤](\d+(?:\.\d+)?)")
_ABOVE = re.compile(r"[>≥](\d+(?:\.\d+)?)")
_WHOLE = re.compile(rf"(?:{_BETWEEN.pattern}|{_BELOW.pattern}|{_ABOVE.pattern})")
_BRACKETED = re.compile(r"[(\[](.+)[)\]]")
_ARROWS = re.compile(r"[↑↓]+$")
ARROWS = {
    "↑": "↑", "个": "↑", "千": "↑", "十": "↑", "T": "↑", "t": "↑", "1": "↑", "丨": "↑", "+": "↑",
    "↓": "↓", "下": "↓", "卜": "↓", "J": "↓", "V": "↓", "丁": "↓",
}  # fmt: skip
"""What arrows are read as, by their likeness."""
_SAID = {"↑": "high", "H": "high", "↓": "low", "L": "low"}
_ARROW_OF = {"high": "↑", "low": "↓"}
BY_RANGE = "未读出箭头，按参考范围推得"
_OTHERWISE = "按参考范围取另一读法"
OTHERWISE = _OTHERWISE + "，原读作 {}"
_BEFORE_UNIT = re.compile(r"[↑↓个千十下卜丁]")


def begins_with_arrow(text: str, looks: str) -> bool:
    """Whether a cell begins with what may be an arrow: in the column of flags many characters may,
    before a unit or a range those alone that begin none."""
    return text[:1] in ARROWS if looks == "flag" else _BEFORE_UNIT.match(text) is not None


def limits_of(text: str) -> tuple[Decimal | None, Decimal | None] | None:
    """(low, high) of a range as it is printed; None where it is no range of numbers."""
    plain = folded(text)
    if found := _BETWEEN.search(plain):
        return Decimal(found[1]), Decimal(found[2])
    if found := _BELOW.search(plain):
        return None, Decimal(found[1])
    if found := _ABOVE.search(plain):
        return Decimal(found[1]), None
    return None


def meant_range(text: str, others: Iterable[str]) -> str:
    """``text``, or, where it is no range, the only one that was read at its place: 5.0-15.0, of
    which the stroke was overlooked."""
    if limits_of(text) is not None:
        return text
    ranges = {other for other in map(folded, others) if _WHOLE.fullmatch(other)}
    return ranges.pop() if len(ranges) == 1 else text


def flag_of(value: str, limits: str) -> str | None:
    """ "high", "low" or "" for a value in its range; None where either is no number."""
    number, between = decimal_of(value.lstrip("<>≤≥")), limits_of(limits)
    if number is None or between is None:
        return None
    low, high = between
    if high is not None and number > high:
        return "high"
    return "low" if low is not None and number < low else ""


def tidy(item: Item) -> Item:
    """A result with its arrow in a cell of its own, and arrows as arrows.

    An arrow is often read as a letter of its shape; it is taken as one only in the column of flags.
    """
    value = item.get("value")
    if value is not None and (found := _ARROWS.search(value.value)):
        item.setdefault("flag", value.model_copy(update={"value": found[0][0], "text": found[0]}))
        item["value"] = value.model_copy(update={"value": value.value[: found.start()].strip()})
    for name in ("unit", "range"):
        cell = item.get(name)
        if cell is not None and (found := _BEFORE_UNIT.match(cell.value)):
            item.setdefault("flag", cell.model_copy(update={"value": found[0], "text": found[0]}))
            item[name] = cell.model_copy(update={"value": cell.value[1:].strip(), "readings": []})
            if not item[name].value:
                del item[name]
    flag = item.get("flag")
    if flag is not None:
        item["flag"] = flag.model_copy(update={"value": ARROWS.get(flag.value[:1], flag.value)})
    if (limits := item.get("range")) is not None:
        plain = re.sub(r"[—~～]|--", "-", limits.value).replace(" ", "")
        if found := _BRACKETED.fullmatch(plain):
            plain = found[1]
        item["range"] = limits.model_copy(update={"value": plain})
    return item


def printed_flag(item: Item) -> str:
    """What is printed as the flag of a result; "" where nothing was read."""
    flag = item.get("flag")
    if flag is None or flag.doubt == BY_RANGE or flag.doubt.startswith(_OTHERWISE):
        return ""
    return flag.value


def said_of(flag: str) -> str:
    """What a flag says: "high", "low", or "" for none or anything else."""
    return _SAID.get(flag[:1].upper(), "")


def tell_flags(items: Sequence[Item]) -> None:
    """Where no arrow was read beside a value, its printed range tells it; of two arrows that were
    read at one place, it tells which.  The cell says so."""
    for item in items:
        value, limits = item.get("value"), item.get("range")
        arrow = ""
        if value is not None and limits is not None:
            arrow = _ARROW_OF.get(flag_of(value.value, limits.value) or "", "")
        flag = item.get("flag")
        if flag is not None and flag.value and flag.doubt != BY_RANGE:
            if arrow != flag.value and arrow in flag.readings:
                doubt = OTHERWISE.format(flag.value)
                changes = {"value": arrow, "corrected": True, "doubt": doubt}
                item["flag"] = flag.model_copy(update=changes)
        elif arrow and value is not None:
            sure = min(value.confidence, limits.confidence if limits is not None else 0.0)
            item["flag"] = Cell(
                value=arrow, page=value.page, confidence=sure, corrected=True, doubt=BY_RANGE
            )
        else:
            item.pop("flag", None)
