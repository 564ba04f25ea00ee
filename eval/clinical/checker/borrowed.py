"""True sentences in the wrong place: of another patient, of a relative, of an earlier stay."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from assistant.grounding.segments import Segment
from eval.clinical.checker.record import Claim, Record
from eval.clinical.checker.substitutes import DRUG
from eval.clinical.checker.trial import ErrorKind, Trial
from knowledge.text.finding import Span

_FACT = re.compile(r"(?<![\d.])\d{1,5}(?:\.\d{1,3})?\s?[A-Za-z%℃\u4e00-\u9fff]{1,3}")
_LEAST = 10


def _facts(text: str) -> list[str]:
    """Numbers with what follows them, and drugs: what two records share by chance only."""
    return [m[0] for m in _FACT.finditer(text)] + [m[0] for m in DRUG.finditer(text)]


def of_another_record(record: Record, other: Record, dice: random.Random) -> Iterator[Trial]:
    """Sentences of ``other`` with a fact that ``record`` nowhere has, in random order."""
    segments: list[Segment] = list(other.segments)
    dice.shuffle(segments)
    for segment in segments:
        strange = any(not record.sentences.holds(fact) for fact in _facts(segment.text))
        if len(segment.text) >= _LEAST and strange:
            yield Trial(record.id, "wrong_patient", segment.text, segment.text, segment.span)


def claimed(record: Record) -> Iterator[Trial]:
    """The claims that the record's authors wrote: an earlier stay as this one, a relative as the
    patient."""
    kinds: list[tuple[ErrorKind, tuple[Claim, ...]]] = [
        ("earlier_stay", record.earlier),
        ("wrong_patient", record.relatives),
    ]
    for kind, claims in kinds:
        for claim in claims:
            span = _span(record, claim.quote)
            for text in claim.statements:
                yield Trial(
                    record.id, kind, text, claim.quote, span, of_stay=kind == "earlier_stay"
                )


def _span(record: Record, quote: str) -> Span:
    """Where the record has the quote.  Raises ValueError: nowhere, so the claim proves nothing."""
    for note in record.notes:
        at = note.text.find(quote)
        if at >= 0:
            return Span(note_id=note.id, start=at, end=at + len(quote))
    raise ValueError(f"{record.id}: a claim quotes what the record does not hold")
