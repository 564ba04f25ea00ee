"""The cells of a CSV file or of a workbook: numbers where they are numbers, text where not."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assistant.tasks.radiomics.cohort.outcome import Floats
from assistant.tasks.radiomics.cohort.refusal import CohortRefused

MAX_COLUMNS = 100_000
MAX_BYTES = 2 << 30
_GREATEST = 1e100
"""Of a value: squares and their sums must stay finite."""

_WITH_COMMA = re.compile(r"[+-]?\d+(,\d+)+(\.\d+)?")
_MISSING = frozenset(
    ("", "na", "n/a", "nan", "null", "none", "-", "--", "?", "缺失", "未查", "不详", "未知")
)


@dataclass(frozen=True)
class Cells:
    """``numbers`` (cases × columns) is NaN where a cell is empty or text; ``texts`` has the text
    cells: column → row → text.  ``lines``: the line of the file that a row begins on."""

    names: tuple[str, ...]
    numbers: Floats
    texts: dict[int, dict[int, str]]
    lines: tuple[int, ...]


def read_cells(path: Path) -> Cells:
    """The table at ``path``: the first sheet of an XLSX workbook; or comma, semicolon or tab in
    UTF-8, UTF-16 with its mark, or GB18030.

    Raises:
        CohortRefused: the file cannot be read as such a table.
    """
    if _is_zip(path):
        rows = _sheet(path)
    else:
        text = _decoded(path)
        head = text[: text.find("\n") + 1] or text
        rows = _rows(text, max(",\t;", key=head.count))
    try:
        _, header = next(rows)
    except StopIteration:
        raise CohortRefused(
            "表格是空的：请在第一行写列名，其后每行一例。"
            "(The table is empty: column names first, then a case a line.)"
        ) from None
    names = _names(header)
    return _cells(names, rows)


def _cells(names: tuple[str, ...], rows: Iterator[tuple[int, list[str]]]) -> Cells:
    numbers: list[Floats] = []
    texts: dict[int, dict[int, str]] = {}
    lines: list[int] = []
    for line, row in rows:
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(names):
            raise CohortRefused(
                f"第 {line} 行有 {len(row)} 格，列名有 {len(names)} 个：请检查该行的分隔符和引号。"
                f"(Line {line} has {len(row)} cells for {len(names)} columns.)"
            )
        made = np.full(len(names), np.nan)
        for place, cell in enumerate(row):
            try:
                made[place] = float(cell)
            except ValueError:
                word = cell.strip()
                if word.lower() not in _MISSING:
                    texts.setdefault(place, {})[len(numbers)] = word
        beyond = np.abs(made) > _GREATEST
        if beyond.any():
            place = int(np.flatnonzero(beyond)[0])
            raise CohortRefused(
                f"第 {line} 行的列“{names[place]}”是无穷大或过大：请改为数字或留空。"
                f"(Line {line}, column {names[place]!r} is infinite or too great: a number or an "
                "empty cell.)"
            )
        numbers.append(made)
        lines.append(line)
    _check_commas(names, texts, lines)
    matrix = np.array(numbers) if numbers else np.empty((0, len(names)))
    return Cells(names, matrix, texts, tuple(lines))


def _check_commas(
    names: tuple[str, ...], texts: dict[int, dict[int, str]], lines: list[int]
) -> None:
    """Numbers with a comma would pass for names of classes, each with a number of its own."""
    for place, words in texts.items():
        if all(_WITH_COMMA.fullmatch(word) for word in words.values()):
            row, word = next(iter(words.items()))
            raise CohortRefused(
                f"列“{names[place]}”的数字带逗号（第 {lines[row]} 行“{word[:20]}”）："
                "请把小数逗号改为小数点，并去掉千位逗号。"
                f"(Column {names[place]!r} has numbers with a comma: write a point, and no comma "
                "between thousands.)"
            )


def _names(header: list[str]) -> tuple[str, ...]:
    names = tuple(name.strip() for name in header)
    if len(names) > MAX_COLUMNS:
        raise CohortRefused(
            f"表格有 {len(names)} 列，最多 {MAX_COLUMNS} 列：请先去掉不用的列（如按方差筛选基因）。"
            f"(The table has {len(names)} columns; the most is {MAX_COLUMNS}.)"
        )
    if len(names) < 2:
        raise CohortRefused(
            "表格只有一列：请用逗号、分号或制表符分隔各列。"
            "(The table has one column: separate columns by comma, semicolon or tab.)"
        )
    seen: set[str] = set()
    for name in names:
        if name and name in seen:
            raise CohortRefused(
                f"列名“{name}”重复：请让每列的名称不同。(The column name {name!r} is there twice.)"
            )
        seen.add(name)
    return names


def _rows(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    line = 1
    try:
        for row in reader:
            yield line, row
            line = reader.line_num + 1
    except csv.Error:
        raise CohortRefused(
            f"第 {line} 行附近不能按 CSV 读取：请检查引号，或在表格软件中另存为 CSV (UTF-8)。"
            f"(Near line {line} this is no CSV: check the quotes, or save it as CSV (UTF-8).)"
        ) from None


def _is_zip(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return stream.read(4) == b"PK\x03\x04"
    except OSError:
        return False  # told where it is read


def _sheet(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Rows of a workbook, each as long as the first: cells that are empty at its end are left out
    of the file."""
    from assistant.tasks.bill_ocr.catalogue.workbook import WorkbookError, first_sheet

    width = 0
    try:
        for line, row in enumerate(first_sheet(path), 1):
            width = width or len(row)
            yield line, row + [""] * (width - len(row))
    except WorkbookError as error:
        raise CohortRefused(str(error)) from None


def _decoded(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise CohortRefused(
                "文件超过 2 GB：请先去掉不用的列。(The file is over 2 GB: leave out columns first.)"
            )
        data = path.read_bytes()
    except OSError:
        raise CohortRefused("读不到文件：请检查路径和权限。(The file cannot be read.)") from None
    marked = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    if b"\0" not in data or marked:
        for encoding in ("utf-16",) if marked else ("utf-8-sig", "gb18030"):
            try:
                return data.decode(encoding)
            except UnicodeDecodeError:
                continue
    raise CohortRefused(
        "不是文本表格，或编码不是 UTF-8、GB18030：请在表格软件中另存为 CSV (UTF-8)。"
        "(Not a text table in UTF-8 or GB18030: save it as CSV (UTF-8).)"
    )
