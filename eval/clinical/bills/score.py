"""A reading held against the truth: characters, fields, amounts, and what was not flagged."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rapidfuzz.distance import Levenshtein
from rapidfuzz.fuzz import ratio

from assistant.tasks.bill_ocr.document import BillDocument, Cell, DocumentKind, Item
from assistant.tasks.bill_ocr.doubts import AMOUNT_FIELDS
from serving.ocr.line import TextLine

MONEY_COLUMNS = frozenset({"amount", "unit_price", "value"})
_GAP = 0.35
# In heights of a line: a character further across it, or beyond its ends, is none of it.
_FARTHEST = 0.75
_BEYOND = 0.8


@dataclass(frozen=True, slots=True)
class Wrong:
    """A value that is not the truth's; ``read`` is None where nothing was read."""

    path: str
    right: str | None
    read: str | None
    flagged: bool
    amount: bool


@dataclass(slots=True)
class Score:
    """Counts of one picture."""

    characters: int = 0
    character_errors: int = 0
    fields_right: int = 0
    fields_truth: int = 0
    fields_read: int = 0
    amounts: int = 0
    amounts_right: int = 0
    doubts: int = 0
    cells: int = 0
    kinds: int = 0
    kinds_right: int = 0
    wrong: list[Wrong] = field(default_factory=list)

    @property
    def unflagged(self) -> list[Wrong]:
        """The wrong amounts that nobody is told of."""
        return [one for one in self.wrong if one.amount and not one.flagged]


def score(truth: Sequence[BillDocument], read: Sequence[BillDocument]) -> Score:
    """Documents are paired by what they have in common, those that have most first."""
    found = Score()
    pairs = sorted(
        ((_alike(document, other), i, j) for i, document in enumerate(truth)
         for j, other in enumerate(read)),
        key=lambda pair: (-pair[0], *pair[1:]),
    )  # fmt: skip
    mine: dict[int, int] = {}
    for _, i, j in pairs:
        if i not in mine and j not in mine.values():
            mine[i] = j
    for i, document in enumerate(truth):
        found.kinds += 1
        found.kinds_right += i in mine and read[mine[i]].kind is document.kind
        # A document that was not found at all is told of by nothing.
        _document(found, document, read[mine[i]] if i in mine else BillDocument(kind=document.kind))
    for j, other in enumerate(read):
        if j not in mine.values():
            _document(found, BillDocument(), other)
    return found


def _alike(truth: BillDocument, read: BillDocument) -> int:
    same = sum(
        name in read.fields and read.fields[name].value == cell.value
        for name, cell in truth.fields.items()
    )
    return 2 * same + (truth.kind is read.kind)


def _document(found: Score, truth: BillDocument, read: BillDocument) -> None:
    for path, right, cell in _pairs(truth, read):
        value = None if right is None else _plain(right.value)
        said = None if cell is None else _plain(cell.value)
        money = path.split(".")[-1] in (
            AMOUNT_FIELDS if path.startswith("fields") else MONEY_COLUMNS
        )
        found.fields_truth += value is not None
        found.fields_read += said is not None
        found.amounts += money and value is not None
        if cell is not None:
            found.cells += 1
            found.doubts += bool(cell.doubt)
        if value == said:
            found.fields_right += 1
            found.amounts_right += money
        else:
            flagged = _flagged(path, cell, read)
            found.wrong.append(Wrong(path, value, said, flagged, money))


def _flagged(path: str, cell: Cell | None, read: BillDocument) -> bool:
    # Of a page of unknown kind nothing is claimed, and that is said.
    if read.kind is DocumentKind.UNKNOWN or (cell is not None and cell.doubt):
        return True
    failed = {one for check in read.checks if not check.passed for one in check.concerns}
    if path in failed:
        return True
    if cell is not None:
        return False
    # What was lost has no path: a sum tells that a row is missing, and a bill that is said to be
    # incomplete is looked through by a person.
    telling = {"complete", "unread"}
    if path.startswith("items"):
        telling |= {"items_total", "subtotals"}
    return any(not check.passed and check.name in telling for check in read.checks)


def _plain(value: str) -> str:
    """Forms of one character are one: （ and (, Ⅰ and I."""
    return unicodedata.normalize("NFKC", value.replace(" ", ""))


def _pairs(
    truth: BillDocument, read: BillDocument
) -> Iterator[tuple[str, Cell | None, Cell | None]]:
    for name in sorted(truth.fields.keys() | read.fields.keys()):
        yield f"fields.{name}", truth.fields.get(name), read.fields.get(name)
    for right, row in align(truth.items, read.items):
        ours: Item = truth.items[right] if right is not None else {}
        theirs: Item = read.items[row] if row is not None else {}
        for name in sorted(ours.keys() | theirs.keys()):
            number = row if row is not None else f"lost{right}"
            yield f"items.{number}.{name}", ours.get(name), theirs.get(name)


def align(truth: Sequence[Item], read: Sequence[Item]) -> list[tuple[int | None, int | None]]:
    """Rows side by side, in order; what stands on one side alone is paired with None."""
    best = [[0.0] * (len(read) + 1) for _ in range(len(truth) + 1)]
    for i in range(len(truth) - 1, -1, -1):
        for j in range(len(read) - 1, -1, -1):
            both = best[i + 1][j + 1] + _same_row(truth[i], read[j])
            best[i][j] = max(both, best[i + 1][j], best[i][j + 1])
    pairs: list[tuple[int | None, int | None]] = []
    i = j = 0
    while i < len(truth) and j < len(read):
        both = best[i + 1][j + 1] + _same_row(truth[i], read[j])
        if math.isclose(best[i][j], both) and _same_row(truth[i], read[j]) > _GAP:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif best[i + 1][j] >= best[i][j + 1]:
            pairs.append((i, None))
            i += 1
        else:
            pairs.append((None, j))
            j += 1
    pairs += [(row, None) for row in range(i, len(truth))]
    return pairs + [(None, row) for row in range(j, len(read))]


def _same_row(one: Item, other: Item) -> float:
    same = sum(
        name in other and other[name].value == cell.value for name, cell in one.items()
    ) / max(1, len(one))
    if "name" not in one or "name" not in other:
        return same
    return (same + ratio(one["name"].value, other["name"].value) / 100) / 2


def characters(truth: Sequence[TextLine], read: Sequence[TextLine]) -> tuple[int, int]:
    """(characters of the truth, edits that make what was read into it).

    What was read is dealt to the lines of the truth by where each character stands, so that it
    does not matter how a reader cuts the page into lines.
    """
    dealt: list[list[tuple[float, str]]] = [[] for _ in truth]
    frames = [_frame(line) for line in truth]
    extra = 0
    for line in read:
        for character, x, y in _places(line):
            best, least = None, math.inf
            for number, frame in enumerate(frames):
                away = _away(frame, x, y)
                if away < least:
                    best, least = number, away
            if best is None:
                extra += 1
            else:
                dealt[best].append((_within(frames[best], x, y)[0], character))
    total = errors = 0
    for line, found in zip(truth, dealt, strict=True):
        right = _plain(line.text)
        said = _plain("".join(character for _, character in sorted(found)))
        total += len(right)
        errors += min(len(right), Levenshtein.distance(right, said))
    return total, errors


_Frame = tuple[float, float, float, float, float]


def _frame(line: TextLine) -> _Frame:
    """(middle of the start x, y, angle, length, height)."""
    a, b, c, d = line.corners
    start = ((a[0] + d[0]) / 2, (a[1] + d[1]) / 2)
    end = ((b[0] + c[0]) / 2, (b[1] + c[1]) / 2)
    height = (math.dist(a, d) + math.dist(b, c)) / 2
    angle = math.atan2(end[1] - start[1], end[0] - start[0])
    return (*start, angle, math.dist(start, end), height)


def _within(frame: _Frame, x: float, y: float) -> tuple[float, float]:
    """(share of the length, distance from the middle in heights)."""
    dx, dy = x - frame[0], y - frame[1]
    cos, sin = math.cos(frame[2]), math.sin(frame[2])
    return (dx * cos + dy * sin) / max(frame[3], 1.0), abs(dy * cos - dx * sin) / max(frame[4], 1.0)


def _away(frame: _Frame, x: float, y: float) -> float:
    """How far a place is from a line, in heights of it; infinite where it is none of its places.

    What is beyond an end counts too: otherwise a label would take the first figure of the value
    that stands behind it, as both stand equally high.
    """
    along, across = _within(frame, x, y)
    beyond = max(-along, along - 1, 0.0) * frame[3] / max(frame[4], 1.0)
    return across + beyond if across < _FARTHEST and beyond <= _BEYOND else math.inf


def _places(line: TextLine) -> Iterator[tuple[str, float, float]]:
    x, y, angle, length, height = _frame(line)
    count = len(line.text)
    ends = (
        line.ends if len(line.ends) == count else [length * (i + 1) / count for i in range(count)]
    )
    before = 0.0
    for character, end in zip(line.text, ends, strict=True):
        # Behind a gap a character begins nowhere near where the one before it ended.
        half = 0.5 if unicodedata.east_asian_width(character) in "WF" else 0.25
        middle = max((before + end) / 2, end - half * height)
        before = end
        if not character.isspace():
            yield character, x + middle * math.cos(angle), y + middle * math.sin(angle)
