"""What a note has under a heading such as 出院诊断：, with its place in the note."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from assistant.grounding.segments import Scope, Segment, split_sentences
from assistant.record.note import Note, NoteKind

OPENING: frozenset[NoteKind] = frozenset({"admission", "first_progress"})
"""Notes of the beginning of the stay: a discharge in them is an earlier one."""

_SIGNATURE = r"(?:医师|医生)?签[名字]|(?:住院|主治|主任|副主任)?医师"
SIGNED = re.compile(rf"(?:{_SIGNATURE})\s*[：:]")
"""Who signed a note, which is nothing that another text may say again."""

_NEXT = re.compile(
    r"主\s*诉|现病史|既往史|个人史|婚育史|月经史|家族史|过敏史|体格检查|查体|专科检查|辅助检查|初步诊断"
    r"|[入出]院(?:诊断|日期|时间|情况|时情况|医嘱|指导|带药)|最后诊断|目前诊断|(?:诊疗|治疗|住院|手术)经过"
    rf"|{_SIGNATURE}"
)
_HEADING = re.compile(rf"(?:{_NEXT.pattern})\s*[：:]")
_BREAK = re.compile(rf"\n[ \t\u3000]*\n|{_HEADING.pattern}")
_NUMBER = re.compile(
    r"(?:\d{1,2}\s*[.、)．）](?!\d)|[（(]\d{1,2}[)）]|[①-⑳]|[一二三四五六七八九十]{1,2}、|[-•·*])\s*"
)


@dataclass(frozen=True, slots=True)
class Written:
    """Something that stands in a note at ``[start, end)``."""

    note: Note
    start: int
    end: int

    @property
    def text(self) -> str:
        """The characters as written."""
        return self.note.text[self.start : self.end]


def scope_at(segments: Sequence[Segment], note: Note, at: int) -> Scope | None:
    """The scope of the sentence at a place; None between sentences."""
    return next((s.scope for s in segments if s.note_id == note.id and s.start <= at < s.end), None)


def _stripped(note: Note, start: int, end: int, ends: str = " \t\u3000\r\n。；;") -> Written:
    piece = note.text[start:end]
    left = start + len(piece) - len(piece.lstrip())
    return Written(note, left, max(left, start + len(piece.rstrip(ends))))


def bodies(
    notes: Sequence[Note],
    segments: Sequence[Segment],
    names: str,
    skip: Collection[NoteKind] = (),
) -> list[Written]:
    """What follows each heading up to the next one or a blank line; earlier stays left out.

    ``names`` is a pattern of heading names.
    """
    heading = re.compile(rf"(?:{names})\s*[：:为]")
    found = []
    for note in notes:
        if note.kind == "structured" or note.kind in skip:
            continue
        for match in heading.finditer(note.text):
            if scope_at(segments, note, match.start()) is Scope.PRIOR:
                continue
            stop = _BREAK.search(note.text, match.end())
            body = _stripped(note, match.end(), stop.start() if stop else len(note.text))
            if body.text:
                found.append(body)
    return found


def sentences(body: Written) -> list[Written]:
    """The sentences of a body, list numbers left out."""
    found = []
    for start, end in split_sentences(body.text):
        number = _NUMBER.match(body.text, start, end)
        left = number.end() if number else start
        if left < end:
            found.append(Written(body.note, body.start + left, body.start + end))
    return found


def listed(body: Written) -> list[Written]:
    """The entries of a list: the first line, or its first sentence, and the numbered lines below.

    Where nothing stands on the heading's own line, lines without numbers are entries as well.
    """
    note, at = body.note, body.start
    found: list[Written] = []
    before = note.text[: body.start].rstrip(" \t\u3000\r")
    below = before.endswith("\n")
    while at < body.end:
        line_end = note.text.find("\n", at, body.end)
        line_end = body.end if line_end < 0 else line_end
        line = _stripped(note, at, line_end)
        numbered = _NUMBER.match(note.text, line.start, line_end)
        if found and not numbered and not below:
            break
        stop = note.text.find("。", line.start, line_end)
        end = stop if stop >= 0 else line_end
        entry = _stripped(note, line.start, end)
        if entry.text:
            found.append(entry)
        if stop >= 0 and note.text[stop + 1 : line_end].strip():
            break
        at = line_end + 1
    return found
