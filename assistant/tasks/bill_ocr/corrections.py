"""Corrections: cells that a person changes, kept and audited, and what they teach.

A saving is made from a version of the bill; if somebody else has saved meanwhile it is refused
(`assistant.store.errors.BillChanged`), so that nobody overwrites what he has not seen.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field

from assistant.store import Context, Store
from assistant.store.bills import Correction, Filed, Lesson, Synonym
from assistant.store.models.bill import BillRow
from assistant.tasks.bill_ocr.catalogue.annotating import CODE, annotate, apply_entry, written
from assistant.tasks.bill_ocr.catalogue.matching import memory_key
from assistant.tasks.bill_ocr.catalogue.opening import StoreMemory, open_catalogue
from assistant.tasks.bill_ocr.catalogue.search import Catalogue, CatalogueMissing
from assistant.tasks.bill_ocr.catalogue.wording import Wording, read_wording
from assistant.tasks.bill_ocr.document import (
    ITEM_COLUMNS,
    RESULT_COLUMNS,
    BillDocument,
    Cell,
    DocumentKind,
)
from assistant.tasks.bill_ocr.draft import BillReading
from assistant.tasks.bill_ocr.filing import (
    BillContent,
    KnownLayout,
    filed,
    from_reading,
    hospital_of,
    kept,
    recheck,
)
from assistant.tasks.bill_ocr.layout import (
    Layout,
    Taught,
    label_words,
    learned,
    signature,
    type_of,
)
from assistant.tasks.bill_ocr.values import decimal_of, money, read_value
from assistant.work.task import Refused
from knowledge.text.folding import fold

MOST_CHANGES = 1_000
MOST_ITEMS = 5_000
_FIELD = re.compile(r"fields\.([a-z][a-z0-9_]{0,39})")
_CELL = re.compile(r"items\.([0-9]{1,4})\.([a-z][a-z0-9_]{0,39})")
_ROW = re.compile(r"items\.([0-9]{1,4})")
_NUMBERS = frozenset({"quantity", "unit_price", "amount", "limit_price"})
_COLUMNS = frozenset({*ITEM_COLUMNS, *RESULT_COLUMNS, CODE, "catalogue_name", "limit_price"})


class Change(BaseModel):
    """A cell and what should stand there; "" takes the cell away, for ``items.3`` the row.

    A row behind the last one is added.
    """

    path: str = Field(max_length=80, examples=["fields.total", "items.3.amount"])
    value: str = Field(max_length=500)


class Saving(BaseModel):
    """Changes made to a version of a bill; ``accept`` says that all of it is right now."""

    version: int = Field(ge=1)
    changes: list[Change] = Field(default_factory=list, max_length=MOST_CHANGES)
    accept: bool = False


class Bill(BaseModel):
    """A bill as it stands now."""

    id: str
    version: int
    document: BillDocument
    attachments: list[str] = Field(default_factory=list)
    file: str = ""
    accepted_by: str = ""
    doubts: list[str] = Field(default_factory=list, description="Paths that a person should see.")


@dataclass(frozen=True, slots=True)
class Desk:
    """Where bills are opened and saved: the store and the hospital's catalogue."""

    store: Store
    home: Path

    def open(self, context: Context, bill_id: str) -> Bill:
        """A bill; one that is opened first gets what its layout and the catalogue know.

        Raises `assistant.store.errors.BillNotFound`.
        """
        return as_bill(self.store.bills.opened(context, bill_id, self._file))

    def content(self, context: Context, bill_id: str) -> tuple[BillRow, BillContent]:
        """The same with the lines of its pages."""
        row = self.store.bills.opened(context, bill_id, self._file)
        return row, kept(row.content)

    def save(self, context: Context, bill_id: str, saving: Saving) -> Bill:
        """Keep changes, their audit and what they teach, in one transaction.

        Raises `Refused` for a change that cannot be made, `BillNotFound`, `BillChanged`.
        """
        row, content = self.content(context, bill_id)
        catalogue = self.catalogue()
        document, made = changed(content.document, saving.changes, catalogue)
        recheck(document)
        if catalogue is not None and made:
            document = annotate(document, catalogue, StoreMemory(self.store))
        lesson = self._lesson(row, content, document, made, catalogue)
        content = content.model_copy(update={"document": document})
        saved = self.store.bills.save(
            context,
            bill_id,
            saving.version,
            filed(content, lesson.signature or row.layout),
            made,
            accept=saving.accept,
            lesson=lesson,
        )
        return as_bill(saved)

    def file_new(self) -> int:
        """File readings that nobody has opened yet, so that they can be found; how many."""
        count = 0
        while waiting := self.store.bills.unfiled():
            for bill_id, context in waiting:
                self.store.bills.opened(context, bill_id, self._file)
            count += len(waiting)
        return count

    def catalogue(self) -> Catalogue | None:
        """The catalogue; None before one was imported."""
        try:
            return open_catalogue(self.home)
        except CatalogueMissing:
            return None

    def layouts(self, kind: str) -> list[KnownLayout]:
        """What is known of the layouts of a kind of document."""
        return [
            KnownLayout(signature=row.signature, layout=Layout.model_validate(row.content))
            for row in self.store.bills.layouts(kind)
        ]

    def _file(self, content: dict[str, Any]) -> Filed:
        reading = BillReading.model_validate(content["draft"])
        catalogue = self.catalogue()

        def with_codes(document: BillDocument) -> BillDocument:
            if catalogue is None:
                return document
            return annotate(document, catalogue, StoreMemory(self.store))

        return filed(*from_reading(reading, self.layouts, with_codes))

    def _lesson(
        self,
        row: BillRow,
        content: BillContent,
        document: BillDocument,
        made: Sequence[Correction],
        catalogue: Catalogue | None,
    ) -> Lesson:
        taught = [_taught(one) for one in made if one.path.count(".") == 1 + _is_item(one.path)]
        known = [one for one in taught if one.name != CODE]
        synonyms = _synonyms(document, made, catalogue) if catalogue is not None else []
        if not known:
            return Lesson(synonyms=synonyms)
        hospital, labels = hospital_of(document), label_words(content.lines)
        kind = document.kind.value
        values = [cell.value for cell in content.document.fields.values()]
        values += [one.new for one in known]

        def taught_layout(before: dict[str, Any]) -> dict[str, Any]:
            layout = Layout.model_validate(before or {"labels": labels})
            layout = layout.model_copy(update={"hospital": hospital or layout.hospital})
            taught_now = learned(layout, known, content.lines, values, _names_of(catalogue))
            return taught_now.model_dump(mode="json")

        key = row.layout or signature(kind, hospital, labels)
        return Lesson(key, kind, taught_layout, synonyms)


def _names_of(catalogue: Catalogue | None) -> Callable[[str], bool]:
    """Whether a text is a name of the catalogue."""
    if catalogue is None:
        return lambda text: False
    return lambda text: any(
        title.full == fold(text) or title.core == fold(text)
        for title in catalogue.near(fold(text), 3)
    )


def as_bill(row: BillRow) -> Bill:
    """A row of the archive as it is shown."""
    content = kept(row.content)
    return Bill(
        id=row.id,
        version=row.version,
        document=content.document,
        attachments=content.attachments,
        file=content.file,
        accepted_by=row.accepted_by or "",
        doubts=doubts(content.document),
    )


def doubts(document: BillDocument) -> list[str]:
    """The paths of the cells that a person should look at, in the order of the page."""
    found = [f"fields.{name}" for name, cell in document.fields.items() if cell.doubt]
    for number, item in enumerate(document.items):
        found += [f"items.{number}.{name}" for name, cell in item.items() if cell.doubt]
    return found


def changed(
    document: BillDocument, changes: Sequence[Change], catalogue: Catalogue | None = None
) -> tuple[BillDocument, list[Correction]]:
    """A copy with the changes made, and those that changed something.

    Raises `Refused` for a path or a value that cannot be.
    """
    made = document.model_copy(deep=True)
    corrections = []
    for change in changes:
        before = _change(made, change, catalogue)
        if before is not None:
            corrections.append(Correction(change.path, *before))
    return made, corrections


def _change(
    document: BillDocument, change: Change, catalogue: Catalogue | None
) -> tuple[str, str] | None:
    """(old, new), where something changed or what stood there was confirmed."""
    value = change.value.strip()
    if field := _FIELD.fullmatch(change.path):
        return _set(document.fields, field[1], _field_value(field[1], value))
    if row := _ROW.fullmatch(change.path):
        return _remove_row(document, int(row[1]), value)
    cell = _CELL.fullmatch(change.path)
    if cell is None or cell[2] not in _COLUMNS | _seen_columns(document):
        raise Refused(f"没有这个栏目：{change.path[:80]}。(No such cell.)")
    number = int(cell[1])
    if number > len(document.items) or number >= MOST_ITEMS:
        raise Refused(f"没有第 {number + 1} 行。(No such row.)")
    if number == len(document.items):
        document.items.append({})
    item = document.items[number]
    if cell[2] == CODE and value:
        return _choose(item, value, catalogue)
    result = document.kind is DocumentKind.LABORATORY_SHEET
    return _set(item, cell[2], value if result else _item_value(cell[2], value))


def _seen_columns(document: BillDocument) -> set[str]:
    return {column for item in document.items for column in item}


def _remove_row(document: BillDocument, number: int, value: str) -> tuple[str, str]:
    if value or number >= len(document.items):
        raise Refused("整行只能删除：value 须为空。(A row can only be taken away.)")
    gone = document.items.pop(number)
    return " ".join(cell.value for cell in gone.values()), ""


def _choose(item: dict[str, Cell], code: str, catalogue: Catalogue | None) -> tuple[str, str]:
    entries = catalogue.by_code(code, 1) if catalogue is not None else []
    if not entries:
        raise Refused("目录里没有这个编码。(The catalogue has no such code.)")
    if "name" not in item:
        raise Refused("该行没有名称。(The row has no name.)")
    old = item[CODE].value if CODE in item else ""
    apply_entry(item, entries[0], confidence=1.0, corrected=True)
    return old, code


def _set(cells: dict[str, Cell], name: str, value: str) -> tuple[str, str] | None:
    before = cells.get(name)
    old = "" if before is None else before.value
    if not value:
        cells.pop(name, None)
        return (old, "") if before is not None else None
    settled = before is not None and not before.doubt and old == value
    if settled:
        return None
    cells[name] = Cell(
        value=value,
        text=before.text if before is not None else "",
        box=before.box if before is not None else None,
        page=before.page if before is not None else 1,
        confidence=1.0,
        corrected=True,
    )
    return old, value


def _field_value(field: str, value: str) -> str:
    kind = type_of(field)
    if not value or kind not in ("amount", "date", "time", "words"):
        return value
    if kind == "words" and (number := decimal_of(value)) is not None:
        return money(number)  # as the page shows it
    read = read_value(kind, value)
    if read is None or (read.doubt and kind != "amount") or (kind == "amount" and not read.value):
        wanted = {"amount": "金额", "words": "大写金额"}.get(kind, "日期（如 2024-03-05）")
        raise Refused(f"“{value[:40]}”不是有效的{wanted}。(No valid value for {field}.)")
    return read.value


def _item_value(column: str, value: str) -> str:
    if value and column in _NUMBERS and decimal_of(value) is None:
        raise Refused(f"“{value[:40]}”不是数字。(No number for {column}.)")
    return value


def _is_item(path: str) -> bool:
    return path.startswith("items.")


def _taught(one: Correction) -> Taught:
    name = one.path.rsplit(".", 1)[-1]
    where = "items" if _is_item(one.path) else "fields"
    return Taught.model_validate({"where": where, "name": name, "old": one.old, "new": one.new})


def _synonyms(
    document: BillDocument, made: Sequence[Correction], catalogue: Catalogue
) -> list[Synonym]:
    """What the items whose codes were chosen are called."""
    found = []
    for one in made:
        cell = _CELL.fullmatch(one.path)
        if cell is None or cell[2] != CODE or not one.new or int(cell[1]) >= len(document.items):
            continue
        entries = catalogue.by_code(one.new, 1)
        item = document.items[int(cell[1])]
        if entries and "name" in item:
            wording: Wording = read_wording(written(item), catalogue.makers)
            found.append(Synonym(memory_key(wording), wording.core, one.new, entries[0].name))
    return found
