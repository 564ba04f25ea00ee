"""An operation of before that one note alone knows: 右侧肺癌术后 in the discharge summary."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.tasks.record_qc.chart import Chart
from assistant.tasks.record_qc.found import Found
from assistant.tasks.record_qc.rules import Rules

_AFTER = re.compile(
    r"(?:^|[，,。；;、：:\s\d.])(?P<name>[左右双]?侧?[\u4e00-\u9fff]{2,8}?)(?:根治|切除)?术后"
    r"(?![第\d一二三四五六七八九十复查随病出换])"
)
_CORE = 2
"""Characters that another note must share of what was operated: 肺癌."""

_OPERATED = re.compile(r"行[^，。；\n]{2,30}术(?![前后])|术后第|手术名称")


def check_earlier_operations(chart: Chart, rules: Rules) -> Iterator[Found]:
    """``stated_conflict``: the notes of the course and the discharge know of an operation that
    neither the admission nor any other note does, in a stay without one."""
    if not chart.of_kind("admission") or chart.is_operated or _OPERATED.search(chart.text):
        return
    for page in chart.of_kind("progress", "discharge_day"):
        for hit in page.find(_AFTER):
            core = hit["name"][-_CORE:]
            told = (c for other in chart.pages if other is not page for c in other.clauses)
            # 父亲死于肺癌 is no illness of the patient.
            if any(core in c.text and "family" not in c.stances for c in told):
                continue
            yield Found(
                "stated_conflict",
                f"{page.name}写“{hit['name']}术后”，其他文书没有这一手术史或疾病。",
                [page.span(hit.start("name"), hit.end())],
            )
