"""INT8 of an entity model, the strict F1 on annotated text kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from assistant.tasks.structuring import decoding
from assistant.tasks.structuring.windows import windows
from assistant.training.dataset import Example
from assistant.training.scoring import score
from serving.encoder import quantized
from serving.encoder.runtime import BertRuntime, ModelUnavailable

_WINDOW = 254


def quantize(
    source: Path, target: Path, examples: Sequence[Example], max_drop: float, licence: str = ""
) -> quantized.Quantized:
    """See `serving.encoder.quantized.quantize`; the measure is strict micro-F1 on ``examples``.

    Raises:
        CalibrationUnavailable: NNCF is not installed.
        ModelUnavailable: the model at ``source`` has no span head or cannot be run.
    """
    runtime = BertRuntime(source, "f32")
    span = runtime.span
    if span is None:
        raise ModelUnavailable(f"{source} has no span head; INT8 needs one to keep the F1 of.")
    size = min(_WINDOW, runtime.longest)
    rows = [
        tokens.ids[part.start : part.end]
        for tokens in (runtime.vocabulary.tokens(example.text) for example in examples)
        for part in windows(len(tokens), size, 0)
    ]

    def measure(scan: quantized.Scan, documents: Sequence[int]) -> float:
        scores = score(
            (examples[index] for index in documents),
            lambda text: decoding.find(
                text,
                runtime.vocabulary,
                span.labels,
                scan,
                size,
                span.nested,
                decoding.logit(span.above),
            ),
        )
        return scores.micro().f1

    return quantized.quantize(source, target, rows, measure, len(examples), max_drop, licence)
