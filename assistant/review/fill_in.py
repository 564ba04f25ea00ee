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
    name_id,
)
from assistant.record.record import CASE_FIELDS, SEX_ZH, Case
from assistant.tasks.differential.case_context import hedged, stated

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


class NothingToFill(Unresolved):
    """The draft holds nothing that could be filled in; no statement is open."""

    def __init__(self) -> None:
        super().__init__([])
        self.args = (
            "草稿中没有可以回填的内容：模型没有作答，或内容已全部删除。请重新生成，或由医师自行书写。"
            " (The draft has nothing to fill in.)",
        )


STALE_ZH = "病历在本草稿生成之后已有改动，请先与现在的病历核对，或重新生成。"


class FillIn(BaseModel):
    """Text ready to copy, and the same as fields for the CDSS.

    ``stale``: the record has changed since the draft was made; the notice then says so.
    """

    text: str
    fields: dict[str, str]
    notice: str = DISCLAIMER_ZH
    stale: bool = False

    def marked_stale(self) -> FillIn:
        """The same, said to be made from an older record."""
        return self.model_copy(update={"stale": True, "notice": f"{STALE_ZH}{self.notice}"})


def statements_of(draft: Draft) -> list[Statement]:
    """All statements of a draft of any kind."""
    return draft.statements() if isinstance(draft, DifferentialDraft) else draft.statements


def open_statements(
    statements: Sequence[Statement], resolutions: Mapping[str, Resolution]
) -> list[Statement]:
    """Unsupported statements that no doctor has dealt with (a restored one is open again).

    With the name of a diagnosis all that was said of it is dealt with.
    """

    def deleted(statement_id: str) -> bool:
        return statement_id in resolutions and resolutions[statement_id].action == "deleted"

    return [
        s
        for s in statements
        if s.status == "unsupported"
        and (s.id not in resolutions or resolutions[s.id].action == "restored")
        and not deleted(name_id(s.id))
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
    """The text of the draft.

    Raises `Unresolved` while an unsupported statement is open, and its kind `NothingToFill` when
    no diagnosis or no text is left.
    """
    if pending := open_statements(statements_of(draft), resolutions):
        raise Unresolved(pending)
    if isinstance(draft, DifferentialDraft):
        return _first_progress_note(draft, resolutions, case)
    section = draft.section if isinstance(draft, SectionDraft) else "answer"
    separator = "\n" if section in ("discharge_diagnosis", "discharge_orders") else ""
    text = separator.join(_kept(draft.statements, resolutions))
    if not text.strip():
        raise NothingToFill
    return FillIn(text=text, fields={section: text})


def _standing(
    entries: Sequence[DiagnosisEntry], resolutions: Mapping[str, Resolution]
) -> list[DiagnosisEntry]:
    """The entries whose name was not deleted, under the name that the doctor gave them.

    The code belongs to the member's name and does not go with another one.
    """
    standing = []
    for entry in entries:
        resolution = resolutions.get(entry.name_statement.id)
        if not _kept([entry.name_statement], resolutions):
            continue
        if resolution is not None and resolution.action == "edited" and resolution.text:
            entry = entry.model_copy(
                update={"name": resolution.text, "icd10": None, "icd10_name": None}
            )
        standing.append(entry)
    return standing


def _first_progress_note(
    draft: DifferentialDraft, resolutions: Mapping[str, Resolution], case: Case | None
) -> FillIn:
    """首次病程记录: 病例特点, 诊断依据, 鉴别诊断, 诊疗计划."""
    entries = _standing(draft.diagnoses, resolutions)
    critical = _standing(draft.critical, resolutions)
    if not entries:
        raise NothingToFill
    first = entries[0]
    others = [e for e in critical if e.name_statement.id != first.name_statement.id]
    fields = {
        "case_features": _case_features(draft, case),
        "preliminary_diagnosis": _named(first),
        "diagnostic_basis": _basis(first, resolutions),
        "differential_diagnosis": _differential([*others, *entries[1:]], resolutions, {first.name}),
        "plan": _plan([*entries, *critical], resolutions),
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
    found = stated(draft.findings)
    positive = "、".join(dict.fromkeys(f.text for f in found.present))
    negative = "、".join(dict.fromkeys(f.text for f in found.absent))
    uncertain = "、".join(dict.fromkeys(hedged(f) for f in found.uncertain))
    lines.append("阳性表现：" + (positive or NOT_RECORDED))
    lines.append("有鉴别意义的阴性表现：" + (negative or NOT_RECORDED))
    if uncertain:
        lines.append("不确定的表现：" + uncertain)
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
        label + "；".join(dict.fromkeys(texts))
        for label, texts in (
            ("完善检查：", tests),
            ("补充询问：", asks),
            ("病情观察：", flags),
        )
        if texts
    ]
    return "\n".join(f"{n}. {line}" for n, line in enumerate(lines, 1)) or NOT_RECORDED
