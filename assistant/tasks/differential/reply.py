"""What a model answered, read leniently: a weak model bends the schema, and nothing may fail."""

from __future__ import annotations

from typing import Any

from langchain_core.utils.json import parse_partial_json
from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

_PUNCTUATION = " \t\r\n'\"[]{},，、:："
"""What a weak model leaves of its own JSON around a text."""

FIELDS = ("supporting", "opposing", "ask", "tests", "red_flags")


class ReplyEntry(BaseModel):
    """One diagnosis of the answer; what has the wrong type is left out."""

    model_config = ConfigDict(extra="ignore", str_strip_whitespace=True)

    name: str = Field(min_length=1)
    supporting: list[str] = Field(default_factory=list)
    opposing: list[str] = Field(default_factory=list)
    ask: list[str] = Field(default_factory=list)
    tests: list[str] = Field(default_factory=list)
    red_flags: list[str] = Field(default_factory=list)

    @field_validator(*FIELDS, mode="before")
    @classmethod
    def _texts(cls, value: Any, info: ValidationInfo) -> list[str]:
        """A bare text is a list of one; ``info.context`` takes the name of a field at fault."""
        items = [value] if isinstance(value, str) else value
        if items is None:
            return []
        texts = [item for item in items if isinstance(item, str)] if type(items) is list else []
        if info.context is not None and (type(items) is not list or len(texts) < len(items)):
            info.context.append(info.field_name)
        stripped = (text.strip(_PUNCTUATION) for text in texts)
        return [text for text in stripped if text]


def read_reply(text: str) -> tuple[list[ReplyEntry], list[str]]:
    """The entries with a name, each name once, and warnings about what was left out."""
    try:
        parsed: Any = parse_partial_json(text)
    except (ValueError, RecursionError):
        return [], ["模型的回答不是约定的格式，未予采用。"]
    items = parsed.get("diagnoses") if isinstance(parsed, dict) else parsed
    if isinstance(items, dict):
        items = [items]
    warnings: list[str] = []
    if not isinstance(items, list):
        items = []
        warnings.append("模型的回答不是约定的格式，未予采用。")
    wrong: list[str] = []
    entries: dict[str, ReplyEntry] = {}
    nameless = 0
    for item in items:
        try:
            entry = ReplyEntry.model_validate(item, context=wrong)
        except ValidationError:
            nameless += 1
        else:
            entries.setdefault(entry.name, entry)
    if nameless:
        warnings.append(f"模型的回答中有 {nameless} 项没有诊断名称，未予采用。")
    if wrong:
        warnings.append(f"模型的回答中有 {len(wrong)} 处内容的格式不对，未予采用。")
    if not entries:
        warnings.append("模型没有给出诊断。")
    return list(entries.values()), warnings
