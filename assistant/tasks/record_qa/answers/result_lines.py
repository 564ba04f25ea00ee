"""A value of a test as an answer writes it: as a line, and as a row of a table."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.tasks.record_qa.draft import Row
from assistant.tasks.record_qa.points import Point

COLUMNS = ["项目", "结果", "提示", "参考", "时间", "来源"]


def line(point: Point) -> str:
    """``血钾 3.4mmol/L ↓（2025年6月12日 06:00）``"""
    flag = f" {point.flag}" if point.flag not in ("", "正常") else ""
    source = f"，{point.of_note}" if point.of_note else ""
    return f"{point.name} {point.shown}{flag}（{point.when}{source}）"


def rows_of(points: Sequence[Point]) -> list[Row]:
    """The points as lines of a table."""
    return [
        Row(
            cells=[p.name, p.shown, p.flag, p.reference, p.when, p.of_note or "检验数据"],
            evidence=[p.evidence],
        )
        for p in points
    ]
