"""Chinese labels of the ontology's terms, from a table that the hospital has (babelon format)."""

from __future__ import annotations

import csv
import re
from functools import cached_property
from pathlib import Path

from knowledge.sources.fact import SourceError, file_digest

_COLUMNS = ("subject_id", "translation_value")
_HAN = re.compile(r"[\u4e00-\u9fff]")
LEAST = 2
"""Characters from which on a label is looked for in a text."""


class ChineseLabels:
    """The labels of one file."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path)

    @cached_property
    def version(self) -> str:
        """The beginning of the file's SHA-256."""
        return file_digest([self.path])[:12]

    @cached_property
    def labels(self) -> dict[str, str]:
        """Term id → Chinese label.

        Raises:
            SourceError: the file cannot be read or is no such table.
        """
        try:
            with self.path.open(encoding="utf-8-sig", newline="") as file:
                reader = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
                if any(name not in (reader.fieldnames or ()) for name in _COLUMNS):
                    raise SourceError(
                        f"{self.path.name}：需要含 {'、'.join(_COLUMNS)} 两列的制表符分隔文件。"
                        f"(A tab-separated table with {' and '.join(_COLUMNS)} is needed.)"
                    )
                rows = [(row["subject_id"], row["translation_value"] or "") for row in reader]
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise SourceError(f"{self.path.name} cannot be read: {error}.") from error
        found = {key: name.strip() for key, name in rows if key and _is_label(name.strip())}
        if not found:
            raise SourceError(
                f"{self.path.name}：没有一个中文名。(It holds no Chinese name of a phenotype.)"
            )
        return found


def _is_label(name: str) -> bool:
    return len(name) >= LEAST and bool(_HAN.search(name))
