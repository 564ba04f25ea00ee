"""What corrections teach of a layout, and what that does for its next page.

A layout is told by the kind of document, the words that label its values, and the hospital.  Of
each field that was corrected it keeps the label and on which side of it the value stands; of names
that do not change from patient to patient (hospital, items) what they were misread as.  Nothing of
a patient is kept.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Literal

from pydantic import BaseModel, Field

from assistant.tasks.bill_ocr.catalogue.distance import distance
from assistant.tasks.bill_ocr.catalogue.wording import marks
from assistant.tasks.bill_ocr.document import BillDocument, Cell
from assistant.tasks.bill_ocr.labels import folded, table_of
from assistant.tasks.bill_ocr.page_line import PageLine
from assistant.tasks.bill_ocr.values import Value, read_value
from knowledge.text.folding import fold

SAME = 0.6
"""Share of label words in common (Jaccard) from where on two pages are of one layout."""

CONSTANT_FIELDS = frozenset({"hospital"})
CONSTANT_COLUMNS = frozenset({"name"})
"""What a misreading of is one wherever it stands; 0.25g for 0.5g, or 内科 for 外科, is none."""

MISREAD = 0.34
"""Wrong characters (`distance`) to the length of a name, up to which it is a misreading."""

REMEMBERED = "有 {n} 处按这种版式以往的更正填写，请核对。(Filled in as was corrected before.)"
MOST_NAMES = 2_000
_DIGIT = re.compile(r"\d")
_GAPS = re.compile(r"\s+")
_LONGEST_LABEL = 12
_EDGES = " :;：；"


class Place(BaseModel):
    """Where a value stands: behind its label in one line, to its right, or below it."""

    label: str
    side: Literal["inside", "right", "below"]


class Layout(BaseModel):
    """What is known of one layout.  ``names``: column → as read → as it should be."""

    hospital: str = ""
    labels: list[str] = Field(default_factory=list)
    places: dict[str, Place] = Field(default_factory=dict)
    names: dict[str, dict[str, str]] = Field(default_factory=dict)


class Taught(BaseModel):
    """A cell that was changed: its field or column, from, to."""

    where: Literal["fields", "items"]
    name: str
    old: str
    new: str


@cache
def _types() -> dict[str, str]:
    return {row[0]: row[1] for row in table_of("labels.tsv")}


@cache
def _words() -> frozenset[str]:
    tables = [row[2] for row in table_of("labels.tsv")] + [
        cell for row in table_of("columns.tsv") for cell in row[2:]
    ]
    return frozenset(word for cell in tables for word in cell.split("|") if len(word) > 1)


def type_of(field: str) -> str:
    """The type of a field's value: amount, date, number …; text where it is not known."""
    return _types().get(field, "text")


def label_words(lines: Iterable[PageLine]) -> list[str]:
    """The words that label values: before a colon, or known as labels and headers."""
    found: dict[str, None] = {}
    for line in lines:
        text = folded(line.text)
        for part in text.split():
            word = part.strip(_EDGES)
            if word in _words():
                found[word] = None
        head, colon, _ = text.partition(":")
        head = _GAPS.sub("", head)
        if colon and 2 <= len(head) <= _LONGEST_LABEL and not _DIGIT.search(head):
            found[head] = None
    return sorted(found)


def signature(kind: str, hospital: str, labels: Sequence[str]) -> str:
    """What a new layout is kept under."""
    return hashlib.sha256("\0".join([kind, hospital, *labels]).encode()).hexdigest()


def is_of(layout: Layout, hospital: str, labels: Sequence[str]) -> bool:
    """Whether a page with these labels has this layout."""
    # One that was misread before is the same.
    hospital = layout.names.get("hospital", {}).get(hospital, hospital)
    if hospital and layout.hospital and hospital != layout.hospital:
        return False
    mine, theirs = set(layout.labels), set(labels)
    return bool(mine) and len(mine & theirs) >= SAME * len(mine | theirs)


def learned(
    layout: Layout,
    taught: Sequence[Taught],
    lines: Sequence[PageLine],
    values: Iterable[str],
    is_name: Callable[[str], bool] = lambda text: False,
) -> Layout:
    """``layout`` with what ``taught`` adds.

    ``values`` are those of the page's cells, none of which is a label; ``is_name`` tells what is
    a name of its own, which is no misreading of another.
    """
    places = dict(layout.places)
    names = {column: dict(known) for column, known in layout.names.items()}
    no_labels = {_bare(value) for value in values}
    for one in taught:
        constant = CONSTANT_FIELDS if one.where == "fields" else CONSTANT_COLUMNS
        if one.name in constant and _misread(one) and not is_name(one.old):
            known = names.setdefault(one.name, {})
            known.pop(one.old, None)
            known[one.old] = one.new
            for oldest in list(known)[:-MOST_NAMES]:
                del known[oldest]
        if one.where == "fields" and one.new:
            place = _place(one, lines, no_labels)
            if place is not None:
                places[one.name] = place
    return layout.model_copy(update={"places": places, "names": names})


def remembered(document: BillDocument, layout: Layout, lines: Sequence[PageLine]) -> list[str]:
    """Correct ``document`` by what is known of its layout; the paths that were changed."""
    changed = []
    for field, place in layout.places.items():
        cell = _cell_at(field, place, lines)
        if cell is not None and _value(document.fields.get(field)) != cell.value:
            document.fields[field] = cell
            changed.append(f"fields.{field}")
    for field in CONSTANT_FIELDS & document.fields.keys():
        if _renamed(document.fields[field], layout.names.get(field, {})):
            changed.append(f"fields.{field}")
    for number, item in enumerate(document.items):
        for column in sorted(CONSTANT_COLUMNS & item.keys()):
            if _renamed(item[column], layout.names.get(column, {})):
                changed.append(f"items.{number}.{column}")
    if changed:
        document.warnings.append(REMEMBERED.format(n=len(changed)))
    return changed


def _misread(one: Taught) -> bool:
    """Whether the old text is the new one misread: few characters, and no number, are other."""
    if not one.old or not one.new or one.old == one.new:
        return False
    old, new = fold(one.old), fold(one.new)
    if marks(old) != marks(new):
        return False
    return distance(old, new) <= MISREAD * len(new)


def _renamed(cell: Cell, names: dict[str, str]) -> bool:
    right = names.get(cell.value)
    if right is None:
        return False
    cell.value, cell.doubt = right, ""
    return True


def _value(cell: Cell | None) -> str:
    return "" if cell is None else cell.value


def _bare(text: str) -> str:
    return _GAPS.sub("", folded(text)).strip(_EDGES)


def _place(one: Taught, lines: Sequence[PageLine], no_labels: set[str]) -> Place | None:
    for line in lines:
        value = read_value(type_of(one.name), line.text)
        behind, found = _behind_colon(one.name, line.text)
        if found is not None and found.value == one.new:
            return Place(label=behind, side="inside")
        if value is None or value.value != one.new:
            continue
        label = _bare(line.text[: value.start])
        if _may_label(label, no_labels):
            return Place(label=label, side="inside")
        if not label:
            return _beside(line, lines, no_labels)
    return None


def _behind_colon(field: str, text: str) -> tuple[str, Value | None]:
    head, colon, rest = folded(text).partition(":")
    label = _bare(head)
    if not colon or not label or _DIGIT.search(label):
        return "", None
    return label, read_value(type_of(field), rest)


def _may_label(text: str, no_labels: set[str]) -> bool:
    return 2 <= len(text) <= _LONGEST_LABEL and not _DIGIT.search(text) and text not in no_labels


def _beside(value: PageLine, lines: Sequence[PageLine], no_labels: set[str]) -> Place | None:
    """The nearest label to the left in the same row, else the nearest above."""
    labels = [
        line for line in lines
        if line.page == value.page and line is not value
        and _may_label(_bare(line.text), no_labels)
    ]  # fmt: skip
    left = [line for line in labels if _right_of(value, line)]
    if left:
        nearest = max(left, key=lambda line: line.box.x)
        return Place(label=_bare(nearest.text), side="right")
    above = [line for line in labels if _below(value, line)]
    if above:
        nearest = max(above, key=lambda line: line.box.y)
        return Place(label=_bare(nearest.text), side="below")
    return None


def _right_of(value: PageLine, label: PageLine) -> bool:
    """Whether ``value`` stands in the row of ``label``, behind it."""
    middle = value.box.y + value.box.height / 2
    in_row = label.box.y <= middle <= label.box.y + label.box.height
    return in_row and label.box.x + label.box.width <= value.box.x + label.box.height


def _below(value: PageLine, label: PageLine) -> bool:
    """Whether ``value`` stands under ``label``, at most three lines down."""
    down = value.box.y - (label.box.y + label.box.height)
    over = min(value.box.x + value.box.width, label.box.x + label.box.width) - max(
        value.box.x, label.box.x
    )
    return -label.box.height / 2 <= down <= 3 * label.box.height and over > 0


def _cell_at(field: str, place: Place, lines: Sequence[PageLine]) -> Cell | None:
    for label in lines:
        bare = _GAPS.sub("", folded(label.text))
        if place.side == "inside":
            if bare.startswith(place.label) and len(bare) > len(place.label):
                made = _cell(field, bare[len(place.label) :].lstrip(_EDGES), label)
                if made is not None:
                    return made
        elif bare.strip(_EDGES) == place.label:
            near = _right_of if place.side == "right" else _below
            here = [line for line in lines if line.page == label.page and near(line, label)]
            here.sort(key=lambda line: (line.box.x, line.box.y))
            for line in here[:1]:
                made = _cell(field, line.text, line)
                if made is not None:
                    return made
    return None


def _cell(field: str, text: str, line: PageLine) -> Cell | None:
    value = read_value(type_of(field), text)
    if value is None or not value.value:
        return None
    return Cell(
        value=value.value,
        text=text,
        box=line.box,
        page=line.page,
        confidence=line.confidence,
        doubt=value.doubt,
    )
