"""Evidence that leads from a row of the record on to the page that the row was read from.

A result of a laboratory sheet stands in the record as a line of a table; where it came from a page,
whatever is evidenced by that line is evidenced by the box on the page as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from assistant.record.encounter import RESERVED
from assistant.record.evidence import Evidence, PageBox, TextSpan
from assistant.record.observation import Observation, observation_line

NOTE = RESERVED + "observations"


@dataclass(frozen=True, slots=True)
class BoxedLine:
    """``[start, end)`` of the table's text says what stands in ``box``."""

    start: int
    end: int
    box: PageBox


def boxed_lines(observations: Sequence[Observation]) -> list[BoxedLine]:
    """The lines of the table of ``observations`` that were read from a page."""
    found: list[BoxedLine] = []
    if not any(row.box is not None for row in observations):
        return found
    at = 0
    for row in observations:
        end = at + len(observation_line(row))
        if row.box is not None:
            found.append(BoxedLine(at, end, row.box))
        at = end + 1
    return found


def add_boxes(part: BaseModel, observations: Sequence[Observation]) -> None:
    """Put the boxes of ``observations`` behind the spans of their table, wherever ``part`` (a
    draft, an alert) holds a list of `Evidence`."""
    if lines := boxed_lines(observations):
        for evidence in _lists(part):
            for box in _boxes(evidence, lines):
                if box not in evidence:
                    evidence.append(box)


def _boxes(evidence: Sequence[Any], lines: Sequence[BoxedLine]) -> list[PageBox]:
    spans = [one for one in evidence if isinstance(one, TextSpan) and one.note_id == NOTE]
    return [
        line.box
        for line in lines
        if any(span.start < line.end and line.start < span.end for span in spans)
    ]


def _lists(value: Any) -> Iterator[list[Any]]:
    """Every list of evidence inside of ``value``."""
    if isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            if field.annotation == list[Evidence]:
                yield getattr(value, name)
            else:
                yield from _lists(getattr(value, name))
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _lists(one)
    elif isinstance(value, dict):
        yield from _lists(list(value.values()))
