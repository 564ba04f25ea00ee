"""A question for one piece of what the notes tell: how many, when, how long, which side, who.

A sentence is about the question where it holds every word of it; of that sentence the clauses with
the words give the piece. What several sentences give is told in the order of the days, and of
several the one that the question picks (first, last, highest, lowest) leads.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from assistant.grounding.segments import Scope, Segment
from assistant.grounding.source import clause_ranges
from assistant.grounding.stance import NOT_THERE, clause_stances
from assistant.tasks.record_qa.accounts import stands_in
from assistant.tasks.record_qa.answers.quoted import written
from assistant.tasks.record_qa.asked import Asked
from assistant.tasks.record_qa.extracting import Clause, Piece, extract
from assistant.tasks.record_qa.reading import NoteReading, RecordReading
from assistant.tasks.record_qa.saying import Saying
from assistant.tasks.record_qa.series import of_others
from assistant.tasks.record_qa.wanted import Wanted, wanted_of
from knowledge.text.folding import fold

MOST = 4
_PART = 0.4
_MOST_OF = 0.75
"""Share of a word's parts that a sentence must have: 左甲状腺素 is no 甲状腺结节."""


@dataclass(frozen=True, slots=True)
class Found:
    """A piece with its clause."""

    piece: Piece
    clause: Clause


def answer(reading: RecordReading, asked: Asked, out: Saying) -> bool:
    """Say the piece that is asked for; False where no sentence of the record gives it."""
    found: list[Found] = []
    wanted: Wanted | None = None
    for text in dict.fromkeys((asked.folded, *written(asked.folded))):
        wanted = wanted_of(text)
        if wanted is None or not wanted.runs:
            continue
        # What no sentence of the stay gives may be told of the time before it.
        found = _found(reading, wanted) or (
            [] if wanted.pick else _found(reading, replace(wanted, earlier=not wanted.earlier))
        )
        if found:
            break
    if wanted is None or not found:
        return False
    if asked.nth:
        # Told on fewer days than that, it did not happen so often as far as the notes say.
        found = found[asked.nth - 1 : asked.nth]
    _said(_picked(found, wanted) if found else (), wanted, out)
    return bool(found)


def _said(found: Sequence[Found], wanted: Wanted, out: Saying) -> None:
    for one in found[:MOST]:
        note, clause = one.clause.note, one.clause
        out.say(
            f"{one.piece.shown}——{note.name}：“{clause.text.strip('，,。；; ')}”",
            note.sentence(clause.start),
        )


def _found(reading: RecordReading, wanted: Wanted) -> list[Found]:
    """The pieces of every sentence that is about the question, by the order of the notes."""
    found: dict[str, Found] = {}
    for note in reading.notes:
        for segment in note.segments:
            if (
                segment.scope is Scope.PRIOR
            ) != wanted.earlier and segment.scope is not Scope.PRESENTING:
                continue
            if of_others(segment.text, reading):
                continue
            for clause in _clauses(note, segment, wanted):
                for piece in extract(clause, wanted, reading):
                    found.setdefault(piece.shown, Found(piece, clause))
    every = list(found.values())
    # 留置引流管1根，引流80ml: of 多少 a measured amount is meant, where there is one.
    measured = [one for one in every if one.piece.measured]
    return every if wanted.counter or not measured else measured


def _clauses(note: NoteReading, segment: Segment, wanted: Wanted) -> Iterator[Clause]:
    """The clauses of a sentence that hold the words of the question between them."""
    body = fold(note.so_far(segment))
    if not all(stands_in(run, body, _MOST_OF) for run in wanted.runs):
        return
    ranges = clause_ranges(segment.text)
    meant = clause_stances(segment.text, ranges)
    held = [
        n for n, (a, b) in enumerate(ranges)
        if any(stands_in(run, fold(segment.text[a:b]), _PART) for run in wanted.runs)
    ]  # fmt: skip
    if not held:
        return
    first, last = held[0], held[-1]
    if wanted.kind in ("amount", "how_long", "grade", "side"):
        # 剖视胆囊见结石6枚，最大1.6cm: what is measured may stand in the next clause.
        last = min(last + 1, len(ranges) - 1)
    said = fold(segment.text[ranges[first][0] : ranges[last][1]])
    if not all(act.search(said) for act in wanted.acts):
        return
    stances = frozenset().union(*meant[first : last + 1])
    if not wanted.to_come and stances & (
        NOT_THERE - ({"undone"} if wanted.kind != "when" else set())
    ):
        return
    yield Clause(
        note, segment.start + ranges[first][0], segment.start + ranges[last][1], segment.start
    )


def _picked(found: Sequence[Found], wanted: Wanted) -> list[Found]:
    """The one that the question picks first, then the others; by their days where it picks none."""
    numbers = [one for one in found if one.piece.number is not None]
    match wanted.pick:
        case "last":
            return [found[-1]]
        case "first":
            return [found[0]]
        case "highest" if numbers:
            return [max(numbers, key=lambda one: one.piece.number or 0)]
        case "lowest" if numbers:
            return [min(numbers, key=lambda one: one.piece.number or 0)]
    return list(found)
