"""一键回填: the text that goes into the hospital's record, made from a draft and its resolutions.

Only what is supported, or what a doctor has confirmed or edited, can be filled in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel

from assistant.draft import (
    DISCLAIMER_ZH,
    NOT_RECORDED,
    Answer,
    DiagnosisEntry,
    DifferentialDraft,
    SectionDraft,
    Statement,
)
from assistant.record import CASE_FIELDS, SEX_ZH, Case

Draft = DifferentialDraft | SectionDraft | Answer


@dataclass(frozen=True)
class Resolution:
    """What a doctor decided about one statement."""

    action: Literal["confirmed", "deleted", "edited", "restored"]
    text: str | None = None


class Unresolved(Exception):
    """Statements that nothing supports still stand in the draft."""

    def __init__(self, statements: Sequence[Statement]) -> None:
        super().__init__(
            f"{len(statements)} 条内容没有依据，请先逐条删除或确认，再回填。"
            f" ({len(statements)} unsupported statements must be deleted or confirmed first.)"
        )
        self.statements = list(statements)


class FillIn(BaseModel):
    """Text ready to copy, and the same as fields for the CDSS."""

    text: str
    fields: dict[str, str]
    notice: str = DISCLAIMER_ZH


def open_statements(
    statements: Sequence[Statement], resolutions: Mapping[str, Resolution]
) -> list[Statement]:
    """Unsupported statements that no doctor has dealt with (a restored one is open again)."""
    return [
        s
        for s in statements
        if s.status == "unsupported"
        and (s.id not in resolutions or resolutions[s.id].action == "restored")
    ]


def _kept(statements: Sequence[Statement], resolutions: Mapping[str, Resolution]) -> list[str]:
    texts = []
    for statement in statements:
        resolution = resolutions.get(statement.id)
        if resolution is None or resolution.action in ("confirmed", "restored"):
            texts.append(statement.text)
        elif resolution.action == "edited" and resolution.text:
            texts.append(resolution.text)
    return texts


def fill_in(
    draft: Draft, resolutions: Mapping[str, Resolution], case: Case | None = None
) -> FillIn:
    """The text of the draft.  Raises `Unresolved` while an unsupported statement is open."""
    statements = draft.statements() if isinstance(draft, DifferentialDraft) else draft.statements
    if pending := open_statements(statements, resolutions):
        raise Unresolved(pending)
    if isinstance(draft, DifferentialDraft):
        return _first_progress_note(draft, resolutions, case)
    if isinstance(draft, SectionDraft):
        separator = "\n" if draft.section in ("discharge_diagnosis", "discharge_orders") else ""
        text = separator.join(_kept(draft.statements, resolutions))
        return FillIn(text=text, fields={draft.section: text})
    text = "".join(_kept(draft.statements, resolutions))
    return FillIn(text=text, fields={"answer": text})


def _first_progress_note(
    draft: DifferentialDraft, resolutions: Mapping[str, Resolution], case: Case | None
) -> FillIn:
    """首次病程记录: 病例特点, 诊断依据, 鉴别诊断, 诊疗计划."""
    entries = draft.diagnoses
    fields = {
        "case_features": _case_features(draft, case),
        "preliminary_diagnosis": _named(entries[0]) if entries else NOT_RECORDED,
        "diagnostic_basis": _basis(entries[0], resolutions) if entries else NOT_RECORDED,
        "differential_diagnosis": _differential(
            [*draft.critical, *entries[1:]], resolutions, {entries[0].name} if entries else set()
        ),
        "plan": _plan([*entries, *draft.critical], resolutions),
    }
    titles = {
        "case_features": "一、病例特点",
        "preliminary_diagnosis": "二、初步诊断",
        "diagnostic_basis": "三、诊断依据",
        "differential_diagnosis": "四、鉴别诊断",
        "plan": "五、诊疗计划",
    }
    text = "\n".join(f"{titles[key]}\n{value}" for key, value in fields.items())
    return FillIn(text="首次病程记录\n" + text, fields=fields)


def _named(entry: DiagnosisEntry) -> str:
    return entry.name + (f"（{entry.icd10}）" if entry.icd10 else "")


def _case_features(draft: DifferentialDraft, case: Case | None) -> str:
    lines: list[str] = []
    if case is not None:
        patient = " ".join(
            p for p in (case.patient.age_text, SEX_ZH.get(case.patient.sex or "", "")) if p
        )
        complaint = case.chief_complaint.strip()
        lines.append(
            "患者"
            + (f"，{patient}" if patient else "")
            + (f"，主诉：{complaint}" if complaint else "")
        )
    positive = list(dict.fromkeys(f.text for f in draft.findings if f.counts_for))
    negative = list(dict.fromkeys(f.text for f in draft.findings if f.counts_against))
    lines.append("阳性表现：" + ("、".join(positive) or NOT_RECORDED))
    lines.append("有鉴别意义的阴性表现：" + ("、".join(negative) or NOT_RECORDED))
    if case is not None:
        for name in ("past_history", "examination", "tests"):
            value = str(getattr(case, name)).strip()
            lines.append(f"{CASE_FIELDS[name]}：{value or NOT_RECORDED}")
    return "\n".join(f"{number}. {line}" for number, line in enumerate(lines, 1))


def _basis(entry: DiagnosisEntry, resolutions: Mapping[str, Resolution]) -> str:
    texts = _kept(entry.supporting, resolutions)
    return "\n".join(f"{n}. {text}" for n, text in enumerate(texts, 1)) or NOT_RECORDED


def _differential(
    entries: Sequence[DiagnosisEntry],
    resolutions: Mapping[str, Resolution],
    taken: set[str],
) -> str:
    lines: list[str] = []
    for entry in entries:
        if entry.name in taken:
            continue
        taken = taken | {entry.name}
        parts = [
            ("支持点：", _kept(entry.supporting, resolutions)),
            ("不支持点：", _kept(entry.opposing, resolutions)),
            ("鉴别方法：", _kept(entry.tests, resolutions)),
        ]
        body = "".join(label + "；".join(texts) + "。" for label, texts in parts if texts)
        mark = "【不可漏诊】" if entry.must_not_miss else ""
        lines.append(f"{len(lines) + 1}. {mark}{_named(entry)}：{body}")
    return "\n".join(lines) or NOT_RECORDED


def _plan(entries: Sequence[DiagnosisEntry], resolutions: Mapping[str, Resolution]) -> str:
    tests = [t for e in entries for t in _kept(e.tests, resolutions)]
    asks = [t for e in entries for t in _kept(e.ask, resolutions)]
    flags = [t for e in entries for t in _kept(e.red_flags, resolutions)]
    lines = [
        label + "；".join(list(dict.fromkeys(texts))[:10])
        for label, texts in (
            ("完善检查：", tests),
            ("补充询问：", asks),
            ("病情观察：", flags),
        )
        if texts
    ]
    return "\n".join(f"{n}. {line}" for n, line in enumerate(lines, 1)) or NOT_RECORDED
