"""A list as its file has it: CSV (UTF-8 or GB18030) or XLSX, row by row."""

from __future__ import annotations

import csv
import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from assistant.tasks.bill_ocr.catalogue.columns import looks_like_header, places
from assistant.tasks.bill_ocr.catalogue.entry import Entry
from assistant.tasks.bill_ocr.catalogue.workbook import WorkbookError, first_sheet
from knowledge.text.folding import fold

HEADER_WITHIN = 20
"""Rows among which the header is looked for."""

_CLASSES = {"甲类": "甲", "乙类": "乙", "丙类": "丙", "01": "甲", "02": "乙", "03": "丙"}
_LONGEST = 500
_PRICE = re.compile(r"\d+(?:\.\d+)?")


class ListError(ValueError):
    """A list cannot be read; the message says why."""


@dataclass(slots=True)
class Tally:
    """Rows of a list that gave no entry: ``lacking`` code or name, or ``repeated``."""

    lacking: int = 0
    repeated: int = 0


def read_list(
    path: Path, given: Mapping[str, str], name: str, tally: Tally | None = None
) -> Iterator[Entry]:
    """The entries of a file, of the list ``name``, each once; rows without code or name are left
    out.  ``tally`` counts what was left out.

    Raises `ListError`, `assistant.tasks.bill_ocr.catalogue.columns.MapError`.
    """
    rows = _rows(path)
    above: list[list[str]] = []
    for row in rows:
        if looks_like_header(row, given):
            header, body = row, rows
            break
        above.append(row)
        if len(above) >= HEADER_WITHIN:
            header, body = above[0], chain(iter(above[1:]), rows)
            break
    else:
        if not above:
            raise ListError("目录文件是空的。(The list is empty.)")
        header, body = above[0], iter(above[1:])
    at = places(header, given)
    tally = tally or Tally()
    seen: set[int] = set()
    for row in body:
        entry = _entry(row, at, name)
        if entry is None:
            tally.lacking += any(cell.strip() for cell in row)
            continue
        # Hashes rather than rows: a million of them fit in memory.
        if (told := hash(entry)) in seen:
            tally.repeated += 1
            continue
        seen.add(told)
        yield entry


def _entry(row: list[str], at: Mapping[str, int], name: str) -> Entry | None:
    values = {
        column: row[place].strip()[:_LONGEST] if place < len(row) else ""
        for column, place in at.items()
    }
    if not values["code"] or not values["name"]:
        return None
    category = values.pop("class", "")
    pack = values.pop("pack", "")
    specification = values.get("specification", "")
    # 24 alone says not of what.
    if pack and not pack.isdecimal() and pack not in specification:
        values["specification"] = f"{specification}*{pack}" if specification else pack
    if "limit_price" in values:
        values["limit_price"] = _amount(values["limit_price"])
    return Entry(**values, category=_CLASSES.get(category, category), list=name)


def _amount(text: str) -> str:
    """A price without its sign and commas; a dash is none."""
    bare = fold(text).replace(",", "").strip("¥￥元 rmb")
    return bare if _PRICE.fullmatch(bare) else "" if bare.strip("-—/") == "" else text


def _rows(path: Path) -> Iterator[list[str]]:
    suffix = path.suffix.lower()
    try:
        if suffix == ".xlsx":
            yield from first_sheet(path)
        elif suffix in (".csv", ".tsv", ".txt"):
            yield from _separated(path)
        else:
            raise ListError("目录文件须为 CSV 或 XLSX；旧的 .xls 请另存。(A list is CSV or XLSX.)")
    except WorkbookError as error:
        raise ListError(str(error)) from None
    except OSError:
        raise ListError(f"读不了文件 {path.name}。(The file cannot be read.)") from None


def _separated(path: Path) -> Iterator[list[str]]:
    encoding = _encoding(path)
    with path.open(encoding=encoding, newline="") as file:
        start = file.read(4096)
        file.seek(0)
        separator = max(",\t;", key=start.count)
        try:
            yield from csv.reader((line.replace("\0", "") for line in file), delimiter=separator)
        except csv.Error as error:
            raise ListError(f"CSV 有误：{error}。(The CSV is not valid.)") from None


def _encoding(path: Path) -> str:
    """UTF-8 where all of the file is; else what spreadsheets in China write: GB18030, or UTF-16
    where it says so (“Unicode text”)."""
    with path.open("rb") as start:
        if start.read(2) in (BOM_UTF16_LE, BOM_UTF16_BE):
            return "utf-16"
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            with path.open(encoding=encoding) as file:
                while file.read(1 << 20):
                    pass
        except UnicodeDecodeError:
            continue
        return encoding
    raise ListError("文件不是 UTF-8 或 GB18030 编码。(The file is neither UTF-8 nor GB18030.)")
