"""A request as a person reads it: headings and lines in place of JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from assistant.record.case import CASE_FIELDS, Case
from assistant.record.encounter import Encounter
from assistant.record.note import Note

_TITLES = CASE_FIELDS | {
    "patient": "患者",
    "name": "姓名",
    "sex": "性别",
    "age": "年龄",
    "department": "科室",
    "diagnoses": "诊断",
    "notes": "病程记录",
    "observations": "检验检查",
    "orders": "医嘱",
    "medications": "用药",
    "operations": "手术",
    "question": "问题",
    "title": "标题",
    "written_at": "时间",
    "author": "记录者",
    "encounter": "就诊",
    "encounter_id": "就诊编号",
    "id": "编号",
}
_EMPTY: tuple[Any, ...] = (None, "", [], {})


def readable(payload: Any) -> str:
    """The notes of a record under their titles, in order of writing, and what stands beside them.

    What is no record of ours is told by its own names.
    """
    if not isinstance(payload, Mapping):
        return str(payload)
    notes, beside = _notes(payload)
    parts = [f"【{note.title or note.id}】\n{note.text}" for note in notes]
    parts += _lines(beside)
    return "\n".join(parts)


def _notes(payload: Mapping[str, Any]) -> tuple[list[Note], Mapping[str, Any]]:
    """The notes, and what of the payload is not in them."""
    inner = payload.get("encounter")
    try:
        if isinstance(inner, Mapping):
            rest = {key: value for key, value in payload.items() if key != "encounter"}
            return Encounter.model_validate(inner).all_notes(), rest
        if "notes" in payload:
            return Encounter.model_validate(payload).all_notes(), {}
        return Case.model_validate(payload).notes(), {}
    except ValidationError:
        # Where names are taken out, a date may be one no more.
        return [], payload


def _lines(value: Mapping[str, Any], depth: int = 0) -> Iterator[str]:
    for key, one in value.items():
        if one in _EMPTY:
            continue
        title = f"{'  ' * depth}{_TITLES.get(key, key)}："
        if isinstance(one, Mapping):
            yield title
            yield from _lines(one, depth + 1)
        elif isinstance(one, list):
            yield title
            for row in one:
                if isinstance(row, Mapping):
                    yield from _lines(row, depth + 1)
                else:
                    yield f"{'  ' * (depth + 1)}{row}"
        else:
            yield f"{title}{one}"
