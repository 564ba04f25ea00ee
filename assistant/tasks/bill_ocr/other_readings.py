"""What else was read at the place of a figure, and what a figure means with another point."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from rapidfuzz.distance import Levenshtein

from assistant.tasks.bill_ocr.fragment import Fragment
from assistant.tasks.bill_ocr.values import decimal_of

_COMMA_FOR_POINT = re.compile(r"\d+,\d\d")
_WITH_NEIGHBOUR = re.compile(r"[^\d.,\-]{0,2}(\d[\d,]*\.\d\d)[^\d.,\-]{0,2}")
_WITHOUT_POINT = re.compile(r"\d{3,}")


def other_texts(parts: Sequence[Fragment]) -> Iterator[str]:
    """The texts of a cell with one of its parts as it was read otherwise."""
    parts = _run_together(parts)
    texts = [part.text for part in parts]
    for number, part in enumerate(parts):
        for other in part.line.others:
            text = _same_place(part, other)
            if text != part.text:
                yield "".join((*texts[:number], text, *texts[number + 1 :]))


def _run_together(parts: Sequence[Fragment]) -> list[Fragment]:
    """Pieces that follow one another in a line as one: what was overlooked stands between them."""
    whole: list[Fragment] = []
    for part in parts:
        last = whole[-1] if whole else part
        if last.line is part.line and last.first + len(last.text) == part.first:
            whole[-1] = replace(
                last,
                text=last.text + part.text,
                starts=last.starts + part.starts,
                ends=last.ends + part.ends,
            )
        else:
            whole.append(part)
    return whole


def may_be_figure(part: Fragment) -> bool:
    """Whether a letter or two were read as a figure, too: q that may be 9."""
    return (
        len(part.text) <= 2
        and len(part.text) == len(part.line.text)
        and any(decimal_of(other) is not None for other in part.line.others)
    )


def _same_place(part: Fragment, other: str) -> str:
    """What of another reading of the line stands where ``part`` does."""
    start, end, length = part.first, part.first + len(part.text), len(part.line.text)
    first, last = 0, len(other)
    for code in Levenshtein.opcodes(part.line.text, other):
        if start > 0 and code.src_start <= start < code.src_end:
            first = code.dest_start + min(start - code.src_start, code.dest_end - code.dest_start)
        if end < length and code.src_start < end <= code.src_end:
            last = code.dest_end - min(code.src_end - end, code.dest_end - code.dest_start)
    return other[first:last]


def meanings(text: str, *, money: bool) -> Iterator[Decimal]:
    """The numbers that a text may mean: as it stands, and, of ``money``, with a comma that is a
    point (81,00), with the point that was overlooked (4000), or without a letter or two of a
    neighbour (专27.68)."""
    plain = text.strip().lstrip("¥")
    if money and (found := _WITH_NEIGHBOUR.fullmatch(plain)):
        plain = found[1]
    number = decimal_of(plain)
    if number is not None:
        yield number
    if money and _COMMA_FOR_POINT.fullmatch(plain):
        yield Decimal(plain.replace(",", "."))
    if money and _WITHOUT_POINT.fullmatch(plain):
        yield Decimal(plain) / 100
