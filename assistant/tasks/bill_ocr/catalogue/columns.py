"""Which column of a list is what: from its header, or from a map that the hospital writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

import yaml

from assistant.tasks.bill_ocr.catalogue.entry import COLUMNS
from knowledge.text.folding import fold


class MapError(ValueError):
    """The columns of a list are not known; the message says which."""


@cache
def _headers() -> dict[str, str]:
    """Folded header words → column."""
    text = files("assistant.tasks.bill_ocr").joinpath("data/catalogue_columns.tsv")
    rows = (line.split("\t") for line in text.read_text(encoding="utf-8").splitlines())
    return {fold(word): row[0] for row in rows if len(row) == 2 for word in row[1].split("|")}


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
    for place, cell in enumerate(folded):
        known = _headers().get(cell)
        if known is not None and known not in found and place not in found.values():
            found[known] = place
    lacking = [column for column in ("code", "name") if column not in found]
    if lacking:
        raise MapError(
            f"认不出这些列：{'、'.join(lacking)}；请用 --map 指明，如 --map code=编码,name=名称。"
            "(Say with --map which columns hold code and name.)"
        )
    return found


def looks_like_header(row: Sequence[str], given: Mapping[str, str]) -> bool:
    """Whether a row names columns; titles of a list often stand above it."""
    cells = {_bare(cell) for cell in row}
    if given:
        return all(_bare(wanted) in cells for wanted in given.values())
    known = {_headers()[cell] for cell in cells if cell in _headers()}
    return {"code", "name"} <= known


def _bare(cell: str) -> str:
    return "".join(fold(cell).split()).replace("*", "").replace("\ufeff", "")
