"""An operation or interventional procedure."""

from __future__ import annotations

from typing import Literal

from assistant.record.fields import Identifier, Moment, Name, Strict, written_day

LATERALITY_ZH = {"left": "左侧", "right": "右侧", "both": "双侧"}


class Operation(Strict):
    """An operation or interventional procedure."""

    id: Identifier
    name: Name
    at: Moment | None = None
    laterality: Literal["left", "right", "both"] | None = None
    note_id: Identifier | None = None


def operation_line(row: Operation) -> str:
    """``2026年3月5日 左侧 胫骨骨折切开复位内固定术``"""
    side = LATERALITY_ZH[row.laterality] if row.laterality else ""
    return " ".join(part for part in (written_day(row.at), side, row.name) if part)
