"""A text of the record."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import StringConstraints

from assistant.record.fields import Identifier, Moment, ShortText, Strict

NoteText = Annotated[str, StringConstraints(max_length=200_000)]
NoteKind = Literal[
    "admission",
    "first_progress",
    "progress",
    "operation",
    "consultation",
    "discharge_day",
    "nursing",
    "structured",
    "other",
]


class Note(Strict):
    """One text of the record.  ``text`` is never changed: offsets point into it."""

    id: Identifier
    kind: NoteKind = "other"
    title: ShortText = ""
    written_at: Moment | None = None
    author: ShortText = ""
    text: NoteText


_TITLES: tuple[tuple[str, NoteKind], ...] = (
    ("报告|检验|化验", "other"),
    ("首次病程|首程", "first_progress"),
    ("会诊", "consultation"),
    ("术前|术后|查房|病程", "progress"),
    ("手术|造影|内镜|胃镜|肠镜|穿刺|活检", "operation"),
    ("出院", "discharge_day"),
    ("护理|护士|生命体征", "nursing"),
    ("入院|大病历", "admission"),
)


def kind_of_title(title: str) -> NoteKind:
    """The kind of note that a Chinese title means; ``other`` where it says none."""
    return next((kind for words, kind in _TITLES if re.search(words, title)), "other")
