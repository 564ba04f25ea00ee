"""The name of the hospital, where it stands over the title without a label."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.tasks.bill_ocr.fragment import Fragment
from assistant.tasks.bill_ocr.rows import Row

_HOSPITAL = re.compile(
    r"[\u4e00-\u9fff()（）]{2,24}(?:医院|卫生院|卫生服务中心|医学中心|保健院|诊所|门诊部|医疗中心)"
)
_ROWS = 6


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
