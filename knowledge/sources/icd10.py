"""ICD-10 tables as tab-separated text: a code, a name, and columns that are left alone.

Both common shapes are read: with a header line (疾病诊断编码, 疾病诊断名称) and without one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from knowledge.sources.fact import Fact, Passage, Relation, Source, SourceError, file_digest

# A letter, two characters, and in national tables a decimal part and an extension (A00.000x001).
# Dagger and asterisk codes come in pairs (A01.005+J17.0*).
_ONE = r"[A-Z]\d[0-9A-Z](?:\.?[0-9A-Zx]{1,10})?[+*]?"
_MORPHOLOGY = r"M\d{5,6}/\d"
CODE = re.compile(rf"{_ONE}(?:[/ ]?(?:{_MORPHOLOGY}|{_ONE}))?", re.IGNORECASE)
# Morphology of tumours codes no diagnosis by itself, but a diagnosis may mean such a term, too.
MORPHOLOGY = re.compile(_MORPHOLOGY)
# Chapter letters stand in the tables and mean nothing.
OTHER = re.compile(rf"{_MORPHOLOGY}|[A-Z]")


class Icd10Table:
    """Reads one table."""

    def __init__(self, path: Path, name: str | None = None, licence: str = "not stated") -> None:
        self._path = Path(path)
        self._name = name or self._path.name.split(".")[0]
        self._licence = licence

    @cached_property
    def source(self) -> Source:
        """Provenance; the version is the beginning of the file's SHA-256."""
        return Source(self._name, file_digest([self._path])[:12], self._licence)

    def facts(self) -> Iterator[Fact]:
        """One ``code_name`` fact a line: subject is the name, object the code.

        Raises:
            SourceError: the file cannot be read or a line after the first has no code.
        """
        try:
            lines = self._path.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise SourceError(f"{self._path.name} cannot be read: {error}.") from error
        for number, line in enumerate(lines, 1):
            cells = [cell.strip().strip('"') for cell in line.split("\t")]
            if not any(cells):
                continue
            if len(cells) < 2 or not (CODE.fullmatch(cells[0]) or OTHER.fullmatch(cells[0])):
                if number == 1:
                    continue
                raise SourceError(f"{self._path.name}, line {number}: no ICD-10 code and name.")
            known = CODE.fullmatch(cells[0]) or MORPHOLOGY.fullmatch(cells[0])
            if cells[1] and known:
                yield Fact(cells[1], Relation.CODE_NAME, cells[0], self.source, cells[0])

    def passages(self) -> Iterator[Passage]:
        """None: a code table has no text to cite."""
        return iter(())
