"""Embeddings kept by the hash of their text, so that a rebuild computes only what is new."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from serving.encoder.text_encoder import Encoder

BATCH = 32


def _key(version: str, text: str) -> bytes:
    return hashlib.sha256(f"{version}\0{text}".encode()).digest()


class EmbeddingCache:
    """A file of vectors; each batch is saved as it is computed, so a stopped build goes on."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path)
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS vector (key BLOB PRIMARY KEY, value BLOB NOT NULL)"
        )

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def passages(
        self,
        texts: Sequence[str],
        encoder: Encoder,
        progress: Callable[[int, int], None],
    ) -> npt.NDArray[np.float32]:
        """Passage vectors of ``texts``: float32 ``[len(texts), dim]``.

        ``progress`` is called with (done, total) of the texts that must be computed.
        """
        vectors = np.zeros((len(texts), encoder.dim), np.float32)
        keys = [_key(encoder.version, text) for text in texts]
        missing: list[int] = []
        for row, key in enumerate(keys):
            found = self._database.execute("SELECT value FROM vector WHERE key = ?", (key,))
            value = found.fetchone()
            if value is not None and len(value[0]) == 4 * encoder.dim:
                vectors[row] = np.frombuffer(value[0], np.float32)
            else:
                missing.append(row)
        for start in range(0, len(missing), BATCH):
            progress(start, len(missing))
            batch = missing[start : start + BATCH]
            computed = encoder.passages([texts[row] for row in batch])
            with self._database:
                for row, vector in zip(batch, computed, strict=True):
                    vectors[row] = vector
                    self._database.execute(
                        "INSERT OR REPLACE INTO vector VALUES (?, ?)",
                        (keys[row], vector.astype(np.float32).tobytes()),
                    )
        progress(len(missing), len(missing))
        return vectors
