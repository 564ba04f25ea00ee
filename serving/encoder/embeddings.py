"""A BERT folder as a text encoder: the mean of its last layer, of length 1."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from serving.encoder.runtime import BertRuntime, Compute
from serving.models.manifest import WEIGHTS_FILE, sha256_of


class BertEncoder:
    """A `serving.encoder.text_encoder.Encoder`.

    Texts longer than the model reads count by their beginning.

    Of use where the model was trained to tell texts apart; a model of masked tokens alone gives
    vectors that lie close together.
    """

    def __init__(self, folder: Path, name: str, compute: Compute = "auto") -> None:
        """``name`` is what it is opened by again.

        Raises:
            ModelUnavailable: the folder holds no encoder that can be run, or one with a span head.
            CheckpointError: its configuration or vocabulary is wrong.
        """
        self._runtime = BertRuntime(folder, compute)
        # Asked once for nothing, so that a model with a span head is refused here.
        next(self._runtime.hidden([]), None)
        self.name = name
        self.dim = self._runtime.shape.hidden_size
        digest = sha256_of(folder / WEIGHTS_FILE)[:16]
        in_floats = "-float" if self._runtime.products == "float" else ""
        self.version = f"bert-{digest}-{self._runtime.compute}{in_floats}"

    def queries(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """See `Encoder.queries`."""
        return self.passages(texts)

    def passages(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """See `Encoder.passages`."""
        made = np.zeros((len(texts), self.dim), np.float32)
        rows = [
            self._runtime.vocabulary.tokens(text).ids[: self._runtime.longest] for text in texts
        ]
        for index, vectors in self._runtime.hidden(rows):
            mean = vectors.mean(0) if len(vectors) else vectors.sum(0)
            length = float(np.linalg.norm(mean))
            made[index] = mean / length if length else 0.0
        made[~made.any(axis=1), 0] = 1.0
        return made
