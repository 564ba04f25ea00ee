"""The cells of a row: its text cut and dealt to the columns, by place and by what it looks like.

The pieces of a row keep their order, so the best way to deal them is found by dynamic programming
over (piece, column), as in aligning two sequences.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median, pstdev

from assistant.tasks.bill_ocr.fragment import Fragment
from assistant.tasks.bill_ocr.header import Column
from assistant.tasks.bill_ocr.labels import folded
from assistant.tasks.bill_ocr.laboratory import ARROWS
from assistant.tasks.bill_ocr.other_readings import may_be_figure

_ATOM = re.compile(
    r"[¥]?-?\d[\d,]*\.\d\d(?=\d)|[¥]?-?\d[\d,]*\.?\d*(?:\s*-{1,2}\s*\d+\.?\d*)?|[↑↓]+"
    r"|[\u4e00-\u9fff]+|[A-Za-zμ%γα°/#^*+.]+(?: [A-Za-z]+)*|."
)
_NUMBER = re.compile(r"[¥]?-?\d[\d,]*(?:\.\d+)?%?")
_NUMERIC = frozenset({"number", "share", "result"})
_GAP = 0.28
"""Two pieces of different looks that stand at least so many heights apart may be two cells."""
_ALIEN = 3.0
_CUT = 0.8


@dataclass(frozen=True, slots=True)
class _Atom:
    part: Fragment
    glued: bool
    """Whether it stands right behind the atom before it, in one fragment."""


Dealt = list[list[Fragment]]
"""The pieces of each column, in the order of the columns."""


def _atoms(parts: Sequence[Fragment]) -> list[_Atom]:
    atoms: list[_Atom] = []
    for part in parts:
        for found in _ATOM.finditer(folded(part.text)):
            piece = part.part(found.start(), found.end())
            apart = bool(atoms) and piece.left - atoms[-1].part.right > _GAP * part.height
            atoms.append(_Atom(piece, found.start() > 0 and not apart))
    return atoms


def deal(parts: Sequence[Fragment], columns: Sequence[Column]) -> Dealt:
    """The pieces of a row by column."""
    atoms = _atoms(parts)
    cells: Dealt = [[] for _ in columns]
    if not atoms:
        return cells
    best = [[0.0] * len(columns) for _ in atoms]
    came = [[0] * len(columns) for _ in atoms]
    for i, atom in enumerate(atoms):
        for j, column in enumerate(columns):
            best[i][j] = _cost(atom.part, column)
            if i == 0:
                continue
            options = [
                (best[i - 1][k] + (_CUT if atom.glued and k != j else 0.0), -k)
                for k in range(j + 1)
            ]
            least, k = min(options)
            best[i][j] += least
            came[i][j] = -k
    at = min(range(len(columns)), key=lambda j: best[-1][j])
    for i in range(len(atoms) - 1, -1, -1):
        cells[at].insert(0, atoms[i].part)
        at = came[i][at]
    return cells


def _cost(part: Fragment, column: Column) -> float:
    """How badly a piece stands in a column, in heights of a letter."""
    centre = (part.left + part.right) / 2
    outside = max(0.0, column.low - part.left) + max(0.0, part.right - column.high)
    away = max(0.0, column.low - centre, centre - column.high)
    cost = (away + 0.5 * min(outside, part.right - part.left)) / part.height
    side, edge = column.edge
    if side:
        place = {"left": part.left, "right": part.right, "middle": centre}[side]
        cost += 0.4 * min(4.0, abs(place - edge) / part.height) if side != "left" else 0.0
    if column.looks == "number" and may_be_figure(part):
        return cost
    return cost + _alien(folded(part.text), column.looks)


def _alien(text: str, looks: str) -> float:
    number = _NUMBER.fullmatch(text) is not None
    if looks in ("number", "share"):
        return 0.0 if number else _ALIEN
    if looks == "product":
        return 0.0 if number or text in "×xX*" else _ALIEN
    if looks == "code":
        return _ALIEN if "\u4e00" <= text[0] <= "\u9fff" else 0.0
    if looks == "result":
        return 0.0 if number or text[0] in "<>阴阳+-" else 1.0
    if looks == "flag":
        return 0.0 if text[0] in "↑↓HLhl+*" else 0.5 if text in ARROWS else 2.0
    if looks in ("unit", "class"):
        return _ALIEN if number and "." in text else 1.5 if number else 0.0
    if looks == "range":
        return 0.0 if text[0].isdigit() or text[0] in "<>-~≤≥阴" else 1.5
    return 1.0 if number and "." in text else 0.3 if number else 0.0


def settle(columns: Sequence[Column], dealt: Sequence[Dealt]) -> None:
    """Learn from dealt rows at which edge the cells of a column are aligned, and how wide it is."""
    for number, column in enumerate(columns):
        cells = [row[number] for row in dealt if row[number]]
        if len(cells) < 3:
            continue
        lefts = [parts[0].left for parts in cells]
        rights = [parts[-1].right for parts in cells]
        middles = [(a + b) / 2 for a, b in zip(lefts, rights, strict=True)]
        spread = {"left": _spread(lefts), "right": _spread(rights), "middle": _spread(middles)}
        side = min(spread, key=lambda one: spread[one])
        places = {"left": lefts, "right": rights, "middle": middles}[side]
        column.edge = (side, median(places))
    _move_borders(columns, dealt)


def _spread(values: Sequence[float]) -> float:
    middle = median(values)
    near = sorted(abs(value - middle) for value in values)[: max(1, int(len(values) * 0.8))]
    return pstdev([*near, 0.0])


def _move_borders(columns: Sequence[Column], dealt: Sequence[Dealt]) -> None:
    """Between two columns the border goes where the cells of most rows leave room.

    The end of a long name is dealt to the column of units behind it at first: of such a cell only
    what stands behind the last gap is a unit.
    """
    for number, (left, right) in enumerate(pairwise(columns)):
        ends = sorted(row[number][-1].right for row in dealt if row[number])
        cells = [row[number + 1] for row in dealt if row[number + 1]]
        if len(ends) < 3 or len(cells) < 3:
            continue
        if left.looks == "text" and right.looks == "unit":
            height = median(cell[-1].height for cell in cells)
            lasts = sorted(_last_word(cell) for cell in cells)
            start = lasts[int(len(lasts) * 0.1)]
            if lasts[int(len(lasts) * 0.9)] - start < 2 * height:
                left.high = right.low = start - 0.4 * height
                continue
        end = ends[int(len(ends) * 0.9)]
        starts = sorted(cell[0].left for cell in cells)
        start = starts[int(len(starts) * 0.1)]
        if end < start:
            left.high = right.low = (end + start) / 2


def _last_word(cell: Sequence[Fragment]) -> float:
    """Where that begins which stands behind the last gap of a cell."""
    left = cell[-1].left
    for before, after in zip(cell[-2::-1], cell[:0:-1], strict=True):
        if after.left - before.right > 0.6 * after.height:
            break
        left = before.left
    return left
