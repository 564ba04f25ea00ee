"""The vectors of a base's passages: they may come after the base itself, which then searches by
words until they are there.

A base that waits for its vectors says so in its manifest, which changes last: whoever opens the
base finds all of them or none.  What was embedded is kept in a cache beside the bases, so a run
that was killed is gone on with.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from knowledge.layout import DENSE, DENSE_ROWS, MANIFEST
from knowledge.retrieval.embedding_cache import EmbeddingCache
from knowledge.retrieval.index import read_passages
from knowledge.retrieval.passages import dense_text
from serving.encoder.text_encoder import Encoder

WAITING = "vectors_waiting"
"""The key of the manifest that is true until the vectors are there."""

Count = Callable[[int, int], None]
"""Called with (done, total) passages."""


class OtherEncoder(Exception):
    """The base waits for the vectors of another encoder; the message names both."""


def are_waited_for(base: Path) -> bool:
    """Whether the base in this folder waits for its vectors."""
    return bool(_manifest(base).get(WAITING))


def add_vectors(base: Path, encoder: Encoder, cache: Path, progress: Count) -> None:
    """Embed the passages of the base in this folder, unless that is done; one process at a time.

    Raises:
        OtherEncoder: the base was built for another.
        OSError: the folder is gone or cannot be written to.
    """
    with cache.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        manifest = _manifest(base)
        if not manifest.get(WAITING):
            return
        wanted = manifest["encoder"]
        if (encoder.name, encoder.version) != (wanted["name"], wanted["version"]):
            raise OtherEncoder(
                f"The knowledge base waits for vectors of {wanted['version']}, and the encoder is "
                f"{encoder.version}. Build it again with: bedside kb build"
            )
        texts = {row: text for row, p in enumerate(read_passages(base)) if (text := dense_text(p))}
        kept = EmbeddingCache(cache)
        try:
            vectors = kept.passages(list(texts.values()), encoder, progress)
        finally:
            kept.close()
        if texts:
            _write(vectors, list(texts), base)
        del manifest[WAITING]
        _replace(base / MANIFEST, lambda path: path.write_text(_json(manifest), encoding="utf-8"))


def _write(vectors: npt.NDArray[np.float32], rows: list[int], base: Path) -> None:
    import faiss

    index = faiss.IndexFlatIP(int(vectors.shape[1]))
    index.add(np.ascontiguousarray(vectors, np.float32))
    _replace(base / DENSE, lambda path: faiss.write_index(index, str(path)))

    def save(path: Path) -> None:
        with path.open("wb") as file:
            np.save(file, np.asarray(rows, np.int32))

    _replace(base / DENSE_ROWS, save)


def _replace(path: Path, write: Callable[[Path], object]) -> None:
    """Write beside ``path``, then in its place: a server may have the base open."""
    partial = path.with_name(f"{path.name}.partial")
    write(partial)
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    os.replace(partial, path)


def _manifest(base: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((base / MANIFEST).read_bytes())
    return found


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
