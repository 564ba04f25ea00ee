"""How results are written."""

from __future__ import annotations

from enum import StrEnum


class Form(StrEnum):
    """The kinds of files."""

    JSONL = "jsonl"
    CSV = "csv"
    FHIR = "fhir"
    PARQUET = "parquet"
