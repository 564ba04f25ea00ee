"""What lies where in a folder of knowledge bases, for who builds one and who opens it."""

from __future__ import annotations

from collections.abc import Callable

FORMAT = 2
CURRENT = "current"
"""The file that names the base in use."""
MANIFEST = "manifest.json"
EMBEDDINGS = "embeddings.sqlite"
"""What was embedded, for all bases of the folder."""
DENSE, DENSE_ROWS = "dense.faiss", "dense_rows.npy"
"""The vectors of a base, and the passages that they are of."""

# Called with (stage, done, total).
Progress = Callable[[str, int, int], None]


def no_progress(stage: str, done: int, total: int) -> None:
    """A `Progress` that shows nothing."""
