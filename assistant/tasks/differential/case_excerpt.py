"""A case too long for the model, as an excerpt: the complaint, what was found, then the beginning.

Sentences are chosen while they fit and told in their own order under the titles of their notes.
"""

from __future__ import annotations

from collections.abc import Callable

from assistant.record.note import Note
from assistant.tasks.differential.case_context import CaseContext


def excerpt(
    context: CaseContext, tokens: int, count_tokens: Callable[[str], int]
) -> tuple[list[Note], str]:
    """Notes of about ``tokens`` tokens at most, and a warning that says how much was read.

    The chief complaint (else the first sentence) is always in it, cut where it alone is too long.
    """
    segments = context.segments
    first = [s for s in segments if s.note_id == "chief_complaint"] or segments[:1]
    found = [s for s in segments if any(s.span.overlaps(f.span) for f in context.findings)]
    lead = "。".join(s.text for s in first)
    chosen = set(first)
    left = tokens - count_tokens(lead)
    if left < 0:
        lead = _cut(lead, tokens, count_tokens)
    for segment in dict.fromkeys([*found, *segments]):
        if segment in chosen:
            continue
        cost = count_tokens(segment.text + "。")
        if cost <= left:
            chosen.add(segment)
            left -= cost
        elif left < 8:
            break
    rest = [s for s in segments if s in chosen and s not in first]
    notes = []
    for note in context.notes:
        texts = [s.text for s in rest if s.note_id == note.id]
        if first and note.id == first[0].note_id:
            texts.insert(0, lead)
        if texts:
            notes.append(note.model_copy(update={"text": "。".join(texts)}))
    characters = sum(len(note.text) for note in notes)
    warning = (
        f"病历超出模型的上下文：共 {len(segments)} 句，只送入 {len(chosen)} 句（{characters} 字），"
        "其余未经模型阅读。"
    )
    return notes, warning


def _cut(text: str, tokens: int, count_tokens: Callable[[str], int]) -> str:
    """The longest beginning, by halving steps, that has at most ``tokens`` tokens."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if count_tokens(text[:middle]) <= tokens:
            low = middle
        else:
            high = middle - 1
    return text[:low]
