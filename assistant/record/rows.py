"""The structured rows of a record, and each row as one line of Chinese text."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

ZONE = timezone(timedelta(hours=8), "Asia/Shanghai")
"""Where the hospital is: an instant given with another zone is a day and an hour of this one.
A fixed offset, as China has had one time and no summer time since 1991."""


def local_time(value: datetime) -> datetime:
    """The same instant in `ZONE`; a time without a zone is local already and stays as it is."""
    try:
        return value if value.tzinfo is None else value.astimezone(ZONE)
    except OverflowError as error:
        raise ValueError("时间超出范围。(The time is out of range.)") from error


Moment = Annotated[datetime, AfterValidator(local_time)]
Identifier = Annotated[
    str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$")
]
ShortText = Annotated[str, StringConstraints(max_length=500)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"\S")]
"""A short text that must say something."""


class Strict(BaseModel):
    """A part of the record: unknown fields are refused and texts are kept as they are."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False)


class Diagnosis(Strict):
    """A diagnosis that a doctor has written down; the code is as given, never looked up."""

    kind: Literal["admission", "discharge"] = "admission"
    name: Name
    icd10: ShortText | None = None
    primary: bool = False


class Observation(Strict):
    """A laboratory or bedside value."""

    id: Identifier
    name: Name
    value: ShortText = ""
    unit: ShortText = ""
    reference: ShortText = ""
    flag: Literal["high", "low", "normal", "abnormal"] | None = None
    at: Moment | None = None
    status: Literal["final", "pending"] = "final"


class Order(Strict):
    """A test, imaging study, diet or other order that is not a drug."""

    id: Identifier
    kind: Literal["test", "imaging", "nursing", "diet", "other"] = "other"
    text: Name
    ordered_at: Moment | None = None
    status: Literal["active", "completed", "stopped", "pending"] = "active"


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


class Operation(Strict):
    """An operation or interventional procedure."""

    id: Identifier
    name: Name
    at: Moment | None = None
    laterality: Literal["left", "right", "both"] | None = None
    note_id: Identifier | None = None


def written_day(value: date | datetime | None) -> str:
    return f"{value.year}年{value.month}月{value.day}日" if value else ""


FLAG_ZH = {"high": "↑", "low": "↓", "abnormal": "异常", "normal": ""}
LATERALITY_ZH = {"left": "左侧", "right": "右侧", "both": "双侧"}
ORDER_STATUS_ZH = {
    "active": "执行中",
    "completed": "已完成",
    "stopped": "已停止",
    "pending": "结果未回",
}


def diagnosis_line(row: Diagnosis) -> str:
    """``出院诊断：2型糖尿病（E11.9）``"""
    kind = "入院诊断" if row.kind == "admission" else "出院诊断"
    return f"{kind}：{row.name}" + (f"（{row.icd10}）" if row.icd10 else "")


def operation_line(row: Operation) -> str:
    """``2026年3月5日 左侧 胫骨骨折切开复位内固定术``"""
    side = LATERALITY_ZH[row.laterality] if row.laterality else ""
    return " ".join(part for part in (written_day(row.at), side, row.name) if part)


def observation_line(row: Observation) -> str:
    """``2026年3月5日 白细胞计数 13.2 10^9/L ↑（参考 3.5-9.5）``"""
    if row.status == "pending":
        return " ".join(part for part in (written_day(row.at), row.name, "结果未回") if part)
    flag = FLAG_ZH[row.flag] if row.flag else ""
    line = " ".join(
        part for part in (written_day(row.at), row.name, row.value, row.unit, flag) if part
    )
    return line + (f"（参考 {row.reference}）" if row.reference else "")


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


def order_line(row: Order) -> str:
    """``2026年3月5日 胸部CT平扫 已完成``"""
    return " ".join(
        part
        for part in (written_day(row.ordered_at), row.text, ORDER_STATUS_ZH[row.status])
        if part
    )
