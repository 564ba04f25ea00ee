"""Labels and their values: right of the label, else below it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from assistant.tasks.bill_ocr.document import Cell, DocumentKind
from assistant.tasks.bill_ocr.fragment import Fragment, ToOriginal, box_of
from assistant.tasks.bill_ocr.labels import Found, Label, folded, labels_in, nearly
from assistant.tasks.bill_ocr.other_readings import meanings, other_texts
from assistant.tasks.bill_ocr.rows import Row, middle
from assistant.tasks.bill_ocr.values import money, read_value

_TEXTS = frozenset({"text", "department", "bed"})
_REACH = dict.fromkeys(_TEXTS | {"name", "age"}, 9.0) | {"number": 12.0}
_LABELLED_SUM = re.compile(r"([\u4e00-\u9fff]{3,10}):\s*¥?\d[\d,]*\.\d\d$")
MISREAD_LABEL = "标签读作“{}”，请核对"
_FAR = 20.0
_UNSURE, _CLEAR = 0.6, 0.95
_JOINED = 1.7
"""Heights of a letter between label and value, and between the pieces of one value."""


@dataclass(frozen=True, slots=True)
class _Token:
    part: Fragment
    label: Label | None = None
    colon: bool = False

    @property
    def names_amount(self) -> bool:
        """Whether it is a label of money."""
        return self.label is not None and self.label.type == "amount"

    @property
    def is_currency(self) -> bool:
        """Whether it is the sign of the currency alone."""
        return self.names_amount and self.part.text.strip() in ("¥", "￥")


@dataclass(frozen=True, slots=True)
class Place:
    """Where boxes go: the page's number and the way back to the picture."""

    page: int
    to_original: ToOriginal


def fields_in(rows: Sequence[Row], kind: DocumentKind, place: Place) -> dict[str, Cell]:
    """The fields of ``rows``; the first that is named is kept, a label with a colon first.  A sum
    whose label was misread by a character is of the only field without one that it may be of."""
    found: dict[str, tuple[bool, Cell]] = {}
    tokens = [_tokens(row, kind) for row in rows]
    for number, row in enumerate(tokens):
        for index, token in enumerate(row):
            if token.label is None or token.label.type == "skip":
                continue
            if token.is_currency and index and row[index - 1].names_amount:
                continue  # what follows is the amount of the label before
            cell = _right(row, index, place)
            sure = token.colon and cell is not None
            if cell is None:
                cell = _below(tokens[number + 1 : number + 3], token, place)
            if cell is None:
                continue
            before = found.get(token.label.field)
            if before is None or (sure and (not before[0] or _surer(cell, before[1]))):
                found[token.label.field] = (sure, cell)
    cells = {name: cell for name, (_, cell) in found.items()}
    for part, word, named in _misread(tokens, kind):
        missing = sorted(named - cells.keys())
        if len(missing) == 1:
            cell = cell_of([part.part(len(word), len(part.text))], "amount", place)
            if cell is not None:
                cell.doubt = MISREAD_LABEL.format(word)
                cells[missing[0]] = cell
    _part_stay(cells)
    if "total" not in cells and (total := _beside_words(tokens, place)) is not None:
        cells["total"] = total
    return cells


def _surer(cell: Cell, before: Cell) -> bool:
    """Whether a later line of the same label is clearly read, and the one before is not: of that
    the label may have lost a part (个人账户支付 below a stroke of a pen)."""
    return before.confidence < _UNSURE < _CLEAR < cell.confidence


def _part_stay(cells: dict[str, Cell]) -> None:
    """住院时间：2026-07-11至2026-07-19 is the day of admission, and that of discharge behind it."""
    both = cells.pop("stay", None)
    first = None if both is None else read_value("date", both.value)
    if both is None or first is None:
        return
    rest = read_value("date", both.value[first.end :])
    for name, value in (("admitted_on", first), ("discharged_on", rest)):
        if value is not None:
            update = {"value": value.value, "doubt": value.doubt}
            cells.setdefault(name, both.model_copy(update=update))


def unread_in(rows: Sequence[Row], kind: DocumentKind, found: Iterable[str]) -> list[str]:
    """Fields of money whose label stands there with a colon, and that have no value; also those
    that a misread label (台缴金额：0.00) may be of."""
    tokens = [token for row in rows for token in _tokens(row, kind)]
    named = {
        token.label.field
        for token in tokens
        if token.label is not None
        and token.label.type == "amount"
        and (token.colon or len(token.part.text) > 3)
    }
    for _, _, near in _misread([tokens], kind):
        named |= near
    return sorted(named - set(found))


def _misread(
    rows: Sequence[Sequence[_Token]], kind: DocumentKind
) -> Iterator[tuple[Fragment, str, set[str]]]:
    """(the fragment, its label, the fields that it may be of) of sums whose label was misread."""
    for row in rows:
        for token in row:
            sum_of = _LABELLED_SUM.match(folded(token.part.text)) if token.label is None else None
            if sum_of is not None and (near := nearly(sum_of[1], kind, "amount")):
                yield token.part, sum_of[1], near


def _beside_words(rows: Sequence[Sequence[_Token]], place: Place) -> Cell | None:
    """The sum in figures stands behind the sum in words, whether its label was read or not."""
    for row in rows:
        if not any(token.label is not None and token.label.type == "words" for token in row):
            continue
        for token in reversed(row):
            amount = token.label is None and token.part.text.strip(":：¥￥*.")[:1].isdigit()
            if amount and (cell := cell_of([token.part], "amount", place)) is not None:
                return cell
    return None


def _tokens(row: Row, kind: DocumentKind) -> list[_Token]:
    tokens: list[_Token] = []
    for part in _glued(row, kind):
        at = 0
        for found in labels_in(part.text, kind):
            if _is_value(tokens, found, at):
                continue
            if found.start > at:
                tokens.append(_Token(part.part(at, found.start)))
            tokens.append(_Token(part.part(found.start, found.end), found.label, found.colon))
            at = found.end
        if at < len(part.text):
            tokens.append(_Token(part.part(at, len(part.text))))
    return tokens


def _is_value(tokens: Sequence[_Token], found: Found, at: int) -> bool:
    """Whether a word is the value of the label before it: 医保类型：自费."""
    before = tokens[-1] if tokens else None
    return (
        before is not None and before.label is not None and before.label.type in _TEXTS
        and before.colon and found.start == at and not found.colon
    )  # fmt: skip


def _glued(row: Row, kind: DocumentKind) -> Row:
    """性 别: single characters that stand alone are put together where that makes a label."""
    glued: Row = []
    skip = False
    for left, right in zip(row, [*row[1:], None], strict=True):
        if skip:
            skip = False
            continue
        if (
            right is not None
            and len(left.text) == 1
            and right.left - left.right < 2.5 * left.height
        ):
            both = Fragment(
                left.text + right.text, left.starts + right.starts, left.ends + right.ends,
                left.top, left.bottom, min(left.confidence, right.confidence),
                right.line if right.line is not left.line else left.line,
                left.first if right.line is left.line else max(0, right.first - 1),
            )  # fmt: skip
            found = labels_in(both.text, kind)
            if found and found[0].start == 0:
                glued.append(both)
                skip = True
                continue
        glued.append(left)
    return glued


def _right(row: Sequence[_Token], index: int, place: Place) -> Cell | None:
    label = row[index]
    assert label.label is not None
    kind = label.label.type
    pieces: list[Fragment] = []
    edge, height = label.part.right, label.part.height
    for number, token in enumerate(row[index + 1 :], start=index + 1):
        if not pieces and kind in _TEXTS and _stands_alone(row, number):
            pieces.append(token.part)
            break
        if token.is_currency and kind == "amount" and not pieces:
            edge = token.part.right
            continue
        if token.label is not None:
            # (大写) behind 合计, ¥ behind (小写): the next label takes the value.
            break
        reach = _JOINED if pieces else _REACH.get(kind, _FAR)
        if token.part.left - edge > reach * height:
            break
        pieces.append(token.part)
        edge = token.part.right
        if kind in ("amount", "number", "sex", "date") and read_value(kind, token.part.text):
            break
    return cell_of(pieces, kind, place) if pieces else None


def _stands_alone(row: Sequence[_Token], number: int) -> bool:
    """Whether a word that may be a label has no value of its own: 险种类型 自费."""
    token, after = row[number], row[number + 1 : number + 2]
    if token.label is None or token.colon or token.label.type != "amount":
        return False
    return not after or after[0].label is not None


def _below(rows: Sequence[Sequence[_Token]], label: _Token, place: Place) -> Cell | None:
    assert label.label is not None
    if label.label.type in {*_TEXTS, "name", "age"} or label.colon:
        return None
    for row in rows:
        for token in row:
            over = min(token.part.right, label.part.right) - max(token.part.left, label.part.left)
            near = token.part.top - label.part.bottom < 2.2 * label.part.height
            if over > 0 and near and token.label is None:
                return cell_of([token.part], label.label.type, place, strict=True)
    return None


def cell_of(
    pieces: Sequence[Fragment], kind: str, place: Place, *, strict: bool = False
) -> Cell | None:
    """The value of these pieces as a cell; ``strict``: the whole text must be the value."""
    gap = " " if kind in {*_TEXTS, "time", "date"} else ""
    text = gap.join(piece.text for piece in pieces)
    value = read_value(kind, text)
    if value is None or (strict and (value.doubt or value.end - value.start < len(text) - 1)):
        return None
    parts = parts_between(pieces, value.start, value.end, len(gap))
    readings: list[str] = []
    if kind == "amount":
        others = (folded(text)[value.start : value.end], *other_texts(parts))
        readings = [money(one) for other in others for one in meanings(folded(other), money=True)]
    return Cell(
        value=value.value,
        text=folded(text)[value.start : value.end],
        box=box_of(parts or pieces, place.to_original),
        page=place.page,
        confidence=min(1.0, max(0.0, min(piece.confidence for piece in pieces))),
        doubt=value.doubt,
        readings=[other for other in dict.fromkeys(readings) if other != value.value],
    )


def parts_between(pieces: Sequence[Fragment], first: int, last: int, gap: int) -> list[Fragment]:
    """What of ``pieces`` stands at ``[first, last)`` of their texts joined by ``gap`` spaces."""
    parts, at = [], 0
    for piece in pieces:
        start, end = max(0, first - at), min(len(piece.text), last - at)
        if start < end:
            parts.append(piece.part(start, end))
        at += len(piece.text) + gap
    return parts


def mean_height(rows: Sequence[Row]) -> float:
    """Of the letters of these rows."""
    heights = [part.height for row in rows for part in row]
    return sum(heights) / len(heights) if heights else 1.0


def first_text(rows: Sequence[Row], top: float) -> list[Fragment]:
    """The fragments of the rows above ``top``."""
    return [part for row in rows if middle(row) < top for part in row]
