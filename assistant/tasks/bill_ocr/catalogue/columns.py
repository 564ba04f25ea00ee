"""Which column of a list is what: from its header, or from a map that the hospital writes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

import yaml

from assistant.tasks.bill_ocr.catalogue.entry import COLUMNS
from knowledge.text.folding import fold

_ENDINGS = {"code": ("编码", "代码"), "name": ("通用名", "名称")}
_CALLED = {"code": "编码（code）", "name": "名称（name）"}
_BRACKETED = re.compile(r"[(\[【].*?[)\]】]")


class MapError(ValueError):
    """The columns of a list are not known; the message says which."""


@cache
def _headers() -> dict[str, str]:
    """Folded header words → column; of two words for one column the earlier is preferred."""
    text = files("assistant.tasks.bill_ocr").joinpath("data/catalogue_columns.tsv")
    rows = (line.split("\t") for line in text.read_text(encoding="utf-8").splitlines())
    found: dict[str, str] = {}
    for row in rows:
        if len(row) == 2:
            found |= {fold(word): row[0] for word in row[1].split("|")}
    return found


def read_map(given: str) -> dict[str, str]:
    """A map ``column: header``, from a YAML file or written as ``code=项目编码,name=项目名称``.

    Raises `MapError`.
    """
    if not given:
        return {}
    if "=" in given:
        pairs = [part.partition("=") for part in given.split(",")]
        found = {key.strip(): value.strip() for key, _, value in pairs}
    else:
        found = _from_file(Path(given))
    unknown = sorted(set(found) - set(COLUMNS))
    if unknown:
        known = "、".join(COLUMNS)
        raise MapError(
            f"映射里有未知的列 {'、'.join(unknown)}，可用：{known}。(Unknown columns in the map.)"
        )
    return found


def _from_file(path: Path) -> dict[str, str]:
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        raise MapError(
            f"读不了映射文件 {path.name}：应为 UTF-8 的 YAML，每行“列: 表头”。"
            "(The map is a YAML file of column: header.)"
        ) from None
    if not isinstance(loaded, Mapping):
        raise MapError("映射文件应为“列: 表头”。(The map is column: header.)")
    return {str(key): str(value) for key, value in loaded.items()}


def places(header: Sequence[str], given: Mapping[str, str]) -> dict[str, int]:
    """Column → its place in a row.  Raises `MapError` without a code or a name."""
    folded = [_bare(cell) for cell in header]
    found: dict[str, int] = {}
    for column, wanted in given.items():
        if _bare(wanted) not in folded:
            raise MapError(f"表头里没有“{wanted}”。(The header has no such column.)")
        found[column] = folded.index(_bare(wanted))
    order = list(_headers())
    preferred = sorted(
        (order.index(word), place)
        for place, cell in enumerate(folded)
        if (word := _word(cell)) is not None
    )
    for rank, place in preferred:
        known = _headers()[order[rank]]
        if known not in found and place not in found.values():
            found[known] = place
    for column, endings in _ENDINGS.items():
        if column not in found:
            alike = [
                place
                for place, cell in enumerate(folded)
                if _unbracketed(cell).endswith(endings) and place not in found.values()
            ]
            if len(alike) == 1:  # of two codes only the hospital knows which is the insurer's
                found[column] = alike[0]
    lacking = [_CALLED[column] for column in _ENDINGS if column not in found]
    if lacking:
        seen = "、".join(cell.strip()[:20] for cell in header if cell.strip())[:200]
        raise MapError(
            f"认不出{'和'.join(lacking)}列，表头是：{seen or '空'}。"
            "请用 --map 指明，如 --map code=编码,name=名称。"
            "(Say with --map which columns hold code and name.)"
        )
    return found


def looks_like_header(row: Sequence[str], given: Mapping[str, str]) -> bool:
    """Whether a row names columns; titles of a list often stand above it."""
    cells = {_bare(cell) for cell in row}
    if given:
        return all(_bare(wanted) in cells for wanted in given.values())
    return {"code", "name"} <= {_headers()[word] for cell in cells if (word := _word(cell))}


def _word(cell: str) -> str | None:
    """The header word of a cell, brackets behind it aside: 医保编码(国家)."""
    return next((word for word in (cell, _unbracketed(cell)) if word in _headers()), None)


def _unbracketed(cell: str) -> str:
    return _BRACKETED.sub("", cell)


def _bare(cell: str) -> str:
    return "".join(fold(cell).split()).replace("*", "").replace("\ufeff", "")
