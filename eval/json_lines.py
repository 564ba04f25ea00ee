"""JSON lines, plain or gzip, read with the file and line of whatever is wrong."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from eval.errors import InputError

_BOM = b"\xef\xbb\xbf"


def read_objects(path: Path, *, whole_lines: bool = False) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a file with their line numbers, from 1; blank lines are passed over.

    ``whole_lines`` also passes over a last line that does not end, as a killed writer leaves it.

    Raises:
        InputError: the file cannot be opened, or a line is no whole JSON object in UTF-8.
    """
    for number, raw in _lines(path):
        if whole_lines and not raw.endswith(b"\n"):
            return
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise InputError(
                path,
                number,
                f"byte {error.start + 1} of the line is not UTF-8; save the file as UTF-8"
                f"{_guess(raw)}.",
            ) from None
        if text.strip():
            yield number, _object(path, number, text)


def read_text(path: Path) -> str:
    """A whole file of UTF-8 text.

    Raises:
        InputError: it cannot be opened, or is not UTF-8.
    """
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        raise InputError(path, 0, "there is no such file.") from None
    except UnicodeDecodeError:
        raise InputError(path, 0, "the file is not UTF-8; save it as UTF-8.") from None
    except OSError as error:
        raise InputError(path, 0, f"the file cannot be read ({error.strerror}).") from None


def names_of(
    path: Path, line: int, row: Mapping[str, Any], field: str, needed: str
) -> tuple[str, ...]:
    """The different names in a field that holds one, or a list of them, in their order.

    Raises:
        InputError: with ``needed``, where there is none or one is no text.
    """
    given = row.get(field)
    names = [given] if isinstance(given, str) else given
    if (
        not isinstance(names, list)
        or not names
        or not all(isinstance(name, str) and name.strip() for name in names)
    ):
        raise InputError(path, line, needed, field)
    return tuple(dict.fromkeys(names))


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            for number, raw in enumerate(file, start=1):
                yield number, raw.removeprefix(_BOM) if number == 1 else raw
    except FileNotFoundError:
        raise InputError(path, 0, "there is no such file.") from None
    except (gzip.BadGzipFile, zlib.error, EOFError):
        raise InputError(path, 0, "the gzip file is damaged or cut off.") from None
    except OSError as error:
        raise InputError(path, 0, f"the file cannot be read ({error.strerror}).") from None


def _guess(raw: bytes) -> str:
    """The encoding that the bytes look like, where one fits."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in raw:
        return " (it looks like UTF-16)"
    try:
        raw.decode("gb18030")
    except UnicodeDecodeError:
        return ""
    return " (it looks like GBK)"


def _object(path: Path, number: int, text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        stripped = text.strip()
        cut = stripped.startswith("{") and not stripped.endswith("}")
        problem = "the line is cut off" if cut else f"this is not JSON ({error.msg})"
        raise InputError(
            path, number, f"{problem}, column {error.colno}; one whole object a line is needed."
        ) from None
    except RecursionError:
        raise InputError(path, number, "the JSON is nested too deeply.") from None
    if not isinstance(value, dict):
        raise InputError(path, number, "the line is not a JSON object; one a line is needed.")
    return value
