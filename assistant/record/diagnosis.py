"""A diagnosis that a doctor has written down."""

from __future__ import annotations

from typing import Literal

from assistant.record.fields import Name, ShortText, Strict


class Diagnosis(Strict):
    """A diagnosis that a doctor has written down; the code is as given, never looked up."""

    kind: Literal["admission", "discharge"] = "admission"
    name: Name
    icd10: ShortText | None = None
    primary: bool = False


def diagnosis_line(row: Diagnosis) -> str:
    """``出院诊断：2型糖尿病（E11.9）``"""
    kind = "入院诊断" if row.kind == "admission" else "出院诊断"
    return f"{kind}：{row.name}" + (f"（{row.icd10}）" if row.icd10 else "")
