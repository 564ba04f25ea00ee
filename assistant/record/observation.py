"""A laboratory or bedside value."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from assistant.record.evidence import PageBox
from assistant.record.fields import Identifier, Moment, Name, ShortText, Strict, written_day

FLAG_ZH = {"high": "↑", "low": "↓", "abnormal": "异常", "normal": ""}


class Observation(Strict):
    """A laboratory or bedside value; ``box`` is where it stands on a page that it was read from."""

    id: Identifier
    name: Name
    value: ShortText = ""
    unit: ShortText = ""
    reference: ShortText = ""
    flag: Literal["high", "low", "normal", "abnormal"] | None = None
    at: Moment | None = None
    status: Literal["final", "pending"] = "final"
    # Left out where there is none: the hash of a record is over its JSON.
    box: PageBox | None = Field(default=None, exclude_if=lambda box: box is None)


def observation_line(row: Observation) -> str:
    """``2026年3月5日 白细胞计数 13.2 10^9/L ↑（参考 3.5-9.5）``"""
    if row.status == "pending":
        return " ".join(part for part in (written_day(row.at), row.name, "结果未回") if part)
    flag = FLAG_ZH[row.flag] if row.flag else ""
    line = " ".join(
        part for part in (written_day(row.at), row.name, row.value, row.unit, flag) if part
    )
    return line + (f"（参考 {row.reference}）" if row.reference else "")
