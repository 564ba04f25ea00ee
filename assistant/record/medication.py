"""A drug order."""

from __future__ import annotations

from datetime import date

from pydantic import Field

from assistant.record.fields import Identifier, Name, ShortText, Strict, written_day


class Medication(Strict):
    """A drug order; ``discharge`` marks what the patient takes home."""

    id: Identifier
    name: Name
    specification: ShortText = ""
    dose: ShortText = ""
    route: ShortText = ""
    frequency: ShortText = ""
    days: int | None = Field(default=None, ge=0, le=3650)
    start: date | None = None
    stop: date | None = None
    discharge: bool = False


def medication_line(row: Medication) -> str:
    """``出院带药：阿司匹林肠溶片 100mg/片 每次100mg 口服 每日1次 30天``"""
    period = " 至 ".join(day for day in (written_day(row.start), written_day(row.stop)) if day)
    parts = (
        row.name,
        row.specification,
        f"每次{row.dose}" if row.dose else "",
        row.route,
        row.frequency,
        f"{row.days}天" if row.days is not None else "",
        period,
    )
    prefix = "出院带药：" if row.discharge else "住院用药："
    return prefix + " ".join(part for part in parts if part)
