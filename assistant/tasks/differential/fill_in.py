"""一键回填 of a differential diagnosis: the first progress note."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from assistant.draft import NOT_RECORDED
from assistant.record.case import CASE_FIELDS, Case
from assistant.record.patient import SEX_ZH
from assistant.review.fill_in import FillIn, NothingToFill, Resolution, kept
from assistant.tasks.differential.case_context import hedged, stated
from assistant.tasks.differential.draft import DiagnosisEntry, DifferentialDraft


def _standing(
    entries: Sequence[DiagnosisEntry], resolutions: Mapping[str, Resolution]
) -> list[DiagnosisEntry]:
    """The entries whose name was not deleted, under the name that the doctor gave them.

    Code, treatment and cautions belong to the member's name and do not go with another one.
    """
    standing = []
    for entry in entries:
        resolution = resolutions.get(entry.name_statement.id)
        if not kept([entry.name_statement], resolutions):
            continue
        if resolution is not None and resolution.action == "edited" and resolution.text:
            entry = entry.model_copy(
                update={
                    "name": resolution.text,
                    "icd10": None,
                    "icd10_name": None,
                    "management": [],
                    "cautions": [],
                }
            )
        standing.append(entry)
    return standing


def first_progress_note(
    draft: DifferentialDraft, resolutions: Mapping[str, Resolution], case: Case | None
) -> FillIn:
    """首次病程记录: 病例特点, 诊断依据, 鉴别诊断, 诊疗计划.

    Raises `NothingToFill` when no diagnosis is left.
    """
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
        "plan": _plan(first, [*entries, *critical], resolutions),
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
    texts = kept(entry.supporting, resolutions)
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
            ("支持点：", kept(entry.supporting, resolutions)),
            ("不支持点：", kept(entry.opposing, resolutions)),
            ("鉴别方法：", kept(entry.tests, resolutions)),
        ]
        body = "".join(label + "；".join(texts) + "。" for label, texts in parts if texts)
        mark = "【不可漏诊】" if entry.must_not_miss else ""
        lines.append(f"{len(lines) + 1}. {mark}{_named(entry)}：{body}")
    return "\n".join(lines) or NOT_RECORDED


def _plan(
    first: DiagnosisEntry,
    entries: Sequence[DiagnosisEntry],
    resolutions: Mapping[str, Resolution],
) -> str:
    """What to do next; principles of treatment and cautions are those of the first diagnosis."""
    tests = [t for e in entries for t in kept(e.tests, resolutions)]
    asks = [t for e in entries for t in kept(e.ask, resolutions)]
    flags = [t for e in entries for t in kept(e.red_flags, resolutions)]
    lines = [
        label + "；".join(dict.fromkeys(texts))
        for label, texts in (
            ("完善检查：", tests),
            ("补充询问：", asks),
            ("病情观察：", flags),
            ("治疗原则（待医师决定）：", kept(first.management, resolutions)),
            ("用药与处置注意：", kept(first.cautions, resolutions)),
        )
        if texts
    ]
    return "\n".join(f"{n}. {line}" for n, line in enumerate(lines, 1)) or NOT_RECORDED
