"""A draft as a Composition: a section for each group of statements, each with its evidence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from assistant.draft import Statement
from assistant.interop.fhir.outgoing import label
from assistant.interop.fhir.outgoing.kept import Kept, instant
from assistant.interop.fhir.terminology import LOINC, Resource
from assistant.record.evidence import CitedPassage, Evidence, PageBox, TextSpan, VolumeRegion
from assistant.tasks.differential.draft import DiagnosisEntry, DifferentialDraft

TYPES = {
    "discharge_record": ("18842-5", "Discharge summary", "出院记录"),
    "differential_diagnosis": ("51848-0", "Evaluation note", "鉴别诊断"),
}
"""LOINC codes by the kind of the task; others are notes."""

_OTHER = ("34109-9", "Note", "文书")
UNSUPPORTED_ZH = "【无依据】"


@dataclass(frozen=True)
class Group:
    """Statements under one heading."""

    title: str
    statements: Sequence[Statement]


def document_type(kept: Kept) -> Resource:
    """The document's type in LOINC."""
    code, display, words = TYPES.get(kept.row.kind, _OTHER)
    return {"coding": [{"system": LOINC, "code": code, "display": display}], "text": words}


def groups(kept: Kept) -> list[Group]:
    """The draft's statements as they are grouped for a reader."""
    draft = kept.draft
    if isinstance(draft, DifferentialDraft):
        return list(_of_differential(draft))
    title = str(getattr(draft, "title", "") or kept.title)
    return [Group(title, draft.all_statements())]


_PARTS = (
    ("supporting", "支持"),
    ("opposing", "不支持"),
    ("unexplained", "未能解释"),
    ("ask", "需询问"),
    ("tests", "建议检查"),
    ("red_flags", "警示"),
    ("management", "处理原则"),
    ("cautions", "注意"),
)


def _of_differential(draft: DifferentialDraft) -> Iterator[Group]:
    for heading, entries in (("不可漏诊", draft.critical), ("鉴别诊断", draft.diagnoses)):
        for entry in entries:
            yield from _of_entry(heading, entry)
    if draft.second_problem:
        yield from _of_entry("另一问题", draft.second_problem)


def _of_entry(heading: str, entry: DiagnosisEntry) -> Iterator[Group]:
    place = f"{heading}：{entry.rank}. {entry.name}"
    yield Group(place, [entry.name_statement])
    for name, part in _PARTS:
        found = getattr(entry, name)
        if found:
            yield Group(f"{place}（{part}）", found)


def composition(kept: Kept) -> Resource:
    """The draft, ``preliminary`` until a doctor signs; what was signed is then its text.

    A signed text has one section, since nothing says which of its words came from which statement;
    the statements with their evidence stay with it as the draft had them.
    """
    sections = [s for s in (_section(kept, group) for group in groups(kept)) if s is not None]
    if kept.is_signed:
        signed = (kept.row.signed_text or "").splitlines()
        sections = [
            {"title": kept.title, "text": label.narrative(label.notice(kept), *signed)},
            *({**s, "title": f"草稿：{s['title']}"} for s in sections),
        ]
    made: Resource = {
        "resourceType": "Composition",
        "id": kept.row.id,
        "meta": label.meta(kept),
        "language": "zh-CN",
        "text": label.narrative(label.notice(kept), label.title(kept)),
        "status": "final" if kept.is_signed else "preliminary",
        "type": document_type(kept),
        "subject": label.subject(kept),
        "date": instant(kept.last_changed),
        "author": [device(kept)],
        "title": label.title(kept),
        "section": sections or [{"title": kept.title, "text": label.narrative("（无内容）")}],
    }
    if encounter := label.stay(kept):
        made["encounter"] = encounter
    if kept.row.signed_by and kept.row.signed_at:
        made["attester"] = [
            {
                "mode": "legal",
                "time": instant(kept.row.signed_at),
                "party": label.practitioner(kept.row.signed_by),
            }
        ]
    return made


def device(kept: Kept) -> Resource:
    """The program, and the model where one wrote it, as an author."""
    model = kept.row.model
    return {
        "type": "Device",
        "identifier": {"system": f"{label.URN}:device", "value": "bedside"},
        "display": f"Bedside（人工智能，模型 {model}）" if model else "Bedside（人工智能）",
    }


def _section(kept: Kept, group: Group) -> Resource | None:
    said = [(statement, kept.text_of(statement)) for statement in group.statements]
    said = [(statement, words) for statement, words in said if words]
    if not said:
        return None
    lines = [shown(kept, statement, words) for statement, words in said]
    return {
        "extension": [_statement(kept, statement, words) for statement, words in said],
        "title": group.title,
        "text": label.narrative(label.notice(kept), *lines),
    }


def shown(kept: Kept, statement: Statement, words: str) -> str:
    """The words, marked where nothing supports them and no doctor answers for them."""
    open_ = statement.status == "unsupported" and not kept.answered_for(statement)
    return f"{UNSUPPORTED_ZH}{words}" if open_ else words


def _statement(kept: Kept, statement: Statement, words: str) -> Resource:
    """One statement as an extension of its section: its words, its state, what supports it."""
    state = "confirmed" if kept.answered_for(statement) else statement.status
    return _extension(
        "statement",
        [
            {"url": "id", "valueString": statement.id},
            {"url": "text", "valueString": words},
            {"url": "state", "valueCode": state},
            {"url": "origin", "valueCode": statement.origin},
            *(_evidence(one) for one in statement.evidence),
            *({"url": "problem", "valueCode": kind} for kind in _kinds(statement)),
        ],
    )


def _kinds(statement: Statement) -> Iterable[str]:
    return dict.fromkeys(problem.kind for problem in statement.problems)


def _evidence(one: Evidence) -> Resource:
    match one:
        case TextSpan():
            place = [
                {"url": "note", "valueString": one.note_id},
                {"url": "start", "valueUnsignedInt": one.start},
                {"url": "end", "valueUnsignedInt": one.end},
            ]
        case PageBox():
            place = [
                {"url": "attachment", "valueString": one.attachment_id},
                {"url": "page", "valueUnsignedInt": one.page},
                {"url": "box", "valueString": f"{one.x},{one.y},{one.width},{one.height}"},
            ]
        case VolumeRegion():
            place = [
                {"url": "series", "valueString": one.series_id},
                {"url": "label", "valueString": one.label or "-"},
            ]
        case CitedPassage():
            place = [
                {"url": "passage", "valueString": one.passage_id or "-"},
                {"url": "source", "valueString": one.source or "-"},
            ]
    quoted = [{"url": "quote", "valueString": one.quote}] if one.quote else []
    return {
        "url": "evidence",
        "extension": [{"url": "kind", "valueCode": one.kind}, *place, *quoted],
    }


def _extension(name: str, parts: list[Resource]) -> Resource:
    return {"url": f"{label.URN}:{name}", "extension": parts}


def plain(kept: Kept) -> str:
    """The text of the draft as it stands, under its label; or what was signed, or filled in."""
    row = kept.row
    text = row.signed_text if kept.is_signed else row.accepted_text
    if text is None:
        lines = []
        for group in groups(kept):
            said = [(s, w) for s in group.statements if (w := kept.text_of(s))]
            if said:
                lines.append(group.title)
                lines += [shown(kept, statement, words) for statement, words in said]
        text = "\n".join(lines)
    return f"{label.notice(kept)}\n{text}"
