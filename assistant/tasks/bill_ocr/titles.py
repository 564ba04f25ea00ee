"""The name of the hospital, where it stands over the title without a label."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.tasks.bill_ocr.document import Cell
from assistant.tasks.bill_ocr.fields import Place, cell_of, parts_between
from assistant.tasks.bill_ocr.fragment import Fragment
from assistant.tasks.bill_ocr.rows import Row, text_of

_HOSPITAL = re.compile(
    r"[\u4e00-\u9fff()（）]{2,24}(?:医院|卫生院|卫生服务中心|医学中心|保健院|诊所|门诊部|医疗中心)"
    r"|[A-Z][A-Za-z.' ]{3,60}(?:Hospital|Clinic|Medical Cent(?:er|re))\b"
)
_ROWS = 6
_DAY = re.compile(r"(?:19|20)\d\d\s*[年./-]\s*\d{1,2}\s*[月./-]\s*\d{1,2}\s*日?")
_LABEL = re.compile(r"[:：至]|日期|时间|出生")


def trimmed(name: str) -> str:
    """The name without what a seal beside it added."""
    found = _HOSPITAL.match(name)
    return found[0] if found and len(name) - found.end() <= 2 else name


def hospital_in(rows: Sequence[Row]) -> tuple[str, list[Fragment]] | None:
    """The name and its fragment, among the first rows."""
    for row in rows[:_ROWS]:
        for part in row:
            if found := _HOSPITAL.search(part.text):
                return found[0], [part.part(found.start(), found.end())]
    return None


def day_in(rows: Sequence[Row], place: Place) -> Cell | None:
    """A day that stands among the first rows without a label, as over a prescription."""
    for row in rows[:_ROWS]:
        text = text_of(row)
        days = list(_DAY.finditer(text))
        if len(days) != 1:
            continue
        start, end = days[0].span()
        before, after = text[:start].rpartition(" ")[2], text[end : end + 2].strip()
        if not _LABEL.search(before + after):
            return cell_of(parts_between(row, start, end, 1), "date", place)
    return None
