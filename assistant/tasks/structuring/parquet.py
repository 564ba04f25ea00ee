"""Entities as a Parquet file, for cohorts: a row an entity under `export.COLUMNS`."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from assistant.tasks.structuring.export import COLUMNS
from assistant.tasks.structuring.journal import OutputError
from assistant.whole_file import whole

_WHOLE_NUMBERS = ("start", "end")
_BLOCK_BYTES = 4 << 20


def require_parquet() -> None:
    """Raises:
    OutputError: pyarrow is not installed.
    """
    if importlib.util.find_spec("pyarrow") is None:
        raise OutputError("Parquet needs pyarrow: pip install 'bedside[parquet]'")


def to_parquet(rows: Path, target: Path) -> None:
    """The CSV at ``rows`` as Parquet at ``target``, which appears whole; block by block, so that
    a cohort need not fit into memory.

    An empty cell is null: a note that does not say something says nothing of it.

    Raises:
        OutputError: pyarrow is not installed.
    """
    require_parquet()
    from pyarrow import csv
    from pyarrow import parquet as files

    schema = _schema()
    with (
        whole(target) as partial,
        files.ParquetWriter(partial, schema, compression="zstd") as writer,
    ):
        if rows.exists() and rows.stat().st_size:
            for batch in csv.open_csv(
                rows,
                read_options=csv.ReadOptions(block_size=_BLOCK_BYTES),
                parse_options=csv.ParseOptions(newlines_in_values=True),
                convert_options=csv.ConvertOptions(
                    column_types=schema,
                    null_values=[""],
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=True,
                ),
            ):
                writer.write_batch(batch)


def _schema() -> Any:
    import pyarrow

    kinds = {name: pyarrow.int64() for name in _WHOLE_NUMBERS} | {"score": pyarrow.float64()}
    return pyarrow.schema([(name, kinds.get(name, pyarrow.string())) for name in COLUMNS])
