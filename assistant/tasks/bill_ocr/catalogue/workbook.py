"""The first sheet of an XLSX workbook as rows of text (ECMA-376 SpreadsheetML).

No macro, formula or link is followed; a formula gives the value that was saved with it.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import IO
from xml.etree import ElementTree
from zlib import error as ZlibError

MAX_UNPACKED = 600 * 1024 * 1024
"""Bytes of one part: a list of a million rows has fewer."""

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_COLUMN = re.compile(r"[A-Z]{1,3}")
_MAX_COLUMN = 16_384
_MERGE = re.compile(
    rb'<(?:\w+:)?mergeCell [^>]*?ref="([A-Z]{1,3})([0-9]{1,7}):[A-Z]{1,3}([0-9]{1,7})"'
)


class WorkbookError(ValueError):
    """The file is no workbook that can be read; the message says what to do."""


def first_sheet(path: Path) -> Iterator[list[str]]:
    """The rows of the first sheet, empty cells as "".  Raises `WorkbookError`."""
    try:
        with zipfile.ZipFile(path) as archive:
            shared = _shared_strings(archive)
            name = _sheet_name(archive)
            with _part(archive, name) as sheet:
                merged = _merged(sheet)
            with _part(archive, name) as sheet:
                yield from _filled(_rows(sheet, shared), merged)
    except (zipfile.BadZipFile, ZlibError, ElementTree.ParseError, OSError, EOFError) as error:
        raise _unreadable() from error
    except (RuntimeError, NotImplementedError) as error:  # encrypted, unknown compression
        raise WorkbookError(
            "工作簿已加密或压缩方式不支持，请另存为 CSV。(It is encrypted; save it as CSV.)"
        ) from error


def _unreadable() -> WorkbookError:
    return WorkbookError(
        "不是可读取的 XLSX 工作簿，请另存为 XLSX 或 CSV。(No readable XLSX workbook; save it anew.)"
    )


def _part(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    try:
        info = archive.getinfo(name)
    except KeyError:
        raise _unreadable() from None
    if info.file_size > MAX_UNPACKED:
        raise WorkbookError("工作簿过大，请拆分后导入。(The workbook is too large; split it.)")
    with archive.open(info) as start:
        # A document type is where entities are declared; no spreadsheet program writes one.
        if b"<!DOCTYPE" in start.read(4096):
            raise _unreadable()
    return archive.open(info)


def _sheet_name(archive: zipfile.ZipFile) -> str:
    names = archive.namelist()
    with _part(archive, "xl/workbook.xml") as part:
        sheet = ElementTree.parse(part).getroot().find(f"{_MAIN}sheets/{_MAIN}sheet")  # noqa: S314
    wanted = "" if sheet is None else sheet.get(_RELATION, "")
    with _part(archive, "xl/_rels/workbook.xml.rels") as part:
        for relation in ElementTree.parse(part).getroot():  # noqa: S314 - no document type is taken
            if relation.get("Id") == wanted:
                target = relation.get("Target", "").lstrip("/")
                target = target if target.startswith("xl/") else f"xl/{target}"
                if target in names:
                    return target
    raise _unreadable()


def _shared_strings(archive: zipfile.ZipFile) -> list[str]:
    if "xl/sharedStrings.xml" not in archive.namelist():
        return []
    found = []
    with _part(archive, "xl/sharedStrings.xml") as part:
        for _, element in ElementTree.iterparse(part):  # noqa: S314
            if element.tag == f"{_MAIN}si":
                found.append(_text(element))
                element.clear()
    return found


def _text(element: ElementTree.Element) -> str:
    """The runs of a string; readings (phonetic) are left out."""
    runs = [element.find(f"{_MAIN}t")]
    runs += [run.find(f"{_MAIN}t") for run in element.findall(f"{_MAIN}r")]
    return "".join(run.text or "" for run in runs if run is not None)


def _merged(sheet: IO[bytes]) -> dict[int, list[tuple[int, int]]]:
    """Cells merged downwards: column → (first row, last row), from 0.  They stand behind the rows,
    so the part is read twice."""
    found: dict[int, list[tuple[int, int]]] = {}
    rest = b""
    while block := sheet.read(1 << 20):
        text = rest + block
        end = 0
        for merge in _MERGE.finditer(text):
            end = merge.end()
            column, first, last = merge[1].decode(), int(merge[2]), int(merge[3])
            if last > first:
                found.setdefault(_column(column, 0), []).append((first - 1, last - 1))
        rest = text[max(end, len(text) - 100) :]
    return found


def _filled(
    rows: Iterator[tuple[int, list[str]]], merged: dict[int, list[tuple[int, int]]]
) -> Iterator[list[str]]:
    """The rows, with the value of a cell that is merged downwards in each of its rows."""
    waiting = {column: sorted(spans, reverse=True) for column, spans in merged.items()}
    value: dict[int, str] = {}
    for number, row in rows:
        for column, spans in waiting.items():
            while spans and spans[-1][1] < number:
                spans.pop()
            if not spans or number < spans[-1][0]:
                continue
            row += [""] * (column + 1 - len(row))
            if number == spans[-1][0]:
                value[column] = row[column]
            row[column] = row[column] or value.get(column, "")
        yield row


def _rows(sheet: IO[bytes], shared: list[str]) -> Iterator[tuple[int, list[str]]]:
    """(number from 0, cells)."""
    number = -1
    for _, element in ElementTree.iterparse(sheet):  # noqa: S314
        if element.tag != f"{_MAIN}row":
            continue
        place = element.get("r", "")
        number = int(place) - 1 if place.isdecimal() else number + 1
        row: list[str] = []
        for cell in element.findall(f"{_MAIN}c"):
            at = _column(cell.get("r", ""), len(row))
            row += [""] * (at + 1 - len(row))
            row[at] = _value(cell, shared)
        element.clear()
        yield number, row


def _column(reference: str, following: int) -> int:
    letters = _COLUMN.match(reference)
    if letters is None:
        return following
    number = 0
    for letter in letters[0]:
        number = number * 26 + ord(letter) - 64
    if number > _MAX_COLUMN:
        raise _unreadable()
    return number - 1


def _value(cell: ElementTree.Element, shared: list[str]) -> str:
    kind = cell.get("t", "n")
    if kind == "inlineStr":
        inline = cell.find(f"{_MAIN}is")
        return "" if inline is None else _text(inline)
    value = cell.findtext(f"{_MAIN}v") or ""
    if kind == "e":  # #REF!, #N/A
        return ""
    if not value and cell.find(f"{_MAIN}f") is not None:
        raise WorkbookError(
            f"单元格 {cell.get('r', '')} 的公式没有保存结果，请用表格软件打开并保存后再导入。"
            "(A formula has no saved value; open the workbook and save it.)"
        )
    if kind == "s":
        number = int(value) if value.isdecimal() else -1
        return shared[number] if 0 <= number < len(shared) else ""
    if kind == "n" and "E" in value.upper():
        # 1.5E-2 is how a spreadsheet keeps 0.015.
        plain = format(Decimal(value), "f")
        return plain.rstrip("0").rstrip(".") if "." in plain else plain
    return value
