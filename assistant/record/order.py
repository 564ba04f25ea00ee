"""An order that is not a drug."""

from __future__ import annotations

from typing import Literal

from assistant.record.fields import Identifier, Moment, Name, Strict, written_day

ORDER_STATUS_ZH = {
    "active": "执行中",
    "completed": "已完成",
    "stopped": "已停止",
    "pending": "结果未回",
}


class Order(Strict):
    """A test, imaging study, diet or other order that is not a drug."""

    id: Identifier
    kind: Literal["test", "imaging", "nursing", "diet", "other"] = "other"
    text: Name
    ordered_at: Moment | None = None
    status: Literal["active", "completed", "stopped", "pending"] = "active"


def order_line(row: Order) -> str:
    """``2026年3月5日 胸部CT平扫 已完成``"""
    return " ".join(
        part
        for part in (written_day(row.ordered_at), row.text, ORDER_STATUS_ZH[row.status])
        if part
    )
