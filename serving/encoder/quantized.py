"""INT8 by post-training quantisation that minds the accuracy: NNCF, on texts of one's own.

Products are quantised with the ranges that calibration rows show; where the measure falls by more
than is allowed, the operations that cost the most are put back one by one (NNCF's
``quantize_with_accuracy_control``).  An extra: it needs ``nncf``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from serving.encoder.convert import write
from serving.encoder.graph import IDS, MASK
from serving.encoder.head import SpanScores
from serving.encoder.runtime import BertRuntime
from serving.encoder.vocabulary import Vocabulary
from serving.ir.calibrated import require
from serving.models.manifest import MODEL_FILE

Scan = Callable[[Sequence[Sequence[int]]], Iterator[tuple[int, SpanScores]]]
Measure = Callable[[Scan, Sequence[int]], float]
"""(scores of rows, which documents) → how good the spans found in those are, 0 to 1."""

_CALIBRATION_ROWS = 300
_RANKING_DOCUMENTS = 100


@dataclass(frozen=True, slots=True)
class Quantized:
    """``before`` and ``after``: the measure on all documents with and without INT8."""

    folder: Path
    before: float
    after: float


def quantize(
    source: Path,
    target: Path,
    rows: Sequence[Sequence[int]],
    measure: Measure,
    documents: int,
    max_drop: float = 0.005,
    licence: str = "",
) -> Quantized:
    """The converted model at ``source`` in INT8 at ``target``.

    ``rows`` of token ids, without special tokens, are what ranges are taken from; ``measure`` is
    asked for all or some of the ``documents`` numbered from 0.  ``max_drop`` is in its unit.

    Raises:
        CalibrationUnavailable: NNCF is not installed.
        ModelUnavailable: the source cannot be run.
    """
    nncf = require()
    import openvino

    runtime = BertRuntime(source, "f32")
    given = [inputs(runtime.vocabulary, row) for row in rows[:_CALIBRATION_ROWS]]

    def validate(compiled: Any, items: Iterable[Any]) -> tuple[float, None]:
        scan = _scan_of(compiled, runtime.vocabulary)
        return measure(scan, [int(item) for item in items]), None

    model = openvino.Core().read_model(source / MODEL_FILE)
    every = list(range(documents))
    quantized = nncf.quantize_with_accuracy_control(
        model,
        calibration_dataset=nncf.Dataset(given),
        validation_dataset=nncf.Dataset(every),
        validation_fn=validate,
        max_drop=max_drop,
        drop_type=nncf.DropType.ABSOLUTE,
        preset=nncf.QuantizationPreset.MIXED,
        model_type=nncf.ModelType.TRANSFORMER,
        subset_size=len(given),
        advanced_accuracy_restorer_parameters=nncf.AdvancedAccuracyRestorerParameters(
            ranking_subset_size=min(documents, _RANKING_DOCUMENTS)
        ),
    )
    # Constants that stayed as they are (embeddings, biases) need no more than sixteen bits.
    settings = {"weights": "int8", "calibration": f"{len(given)} rows, max drop {max_drop}"}
    write(
        source,
        target,
        lambda folder: openvino.save_model(quantized, folder / MODEL_FILE, compress_to_fp16=True),
        settings,
        target.name,
        licence,
    )
    return Quantized(
        target,
        measure(runtime.spans, every),
        measure(BertRuntime(target).spans, every),
    )


def _scan_of(compiled: Any, vocabulary: Vocabulary) -> Scan:
    def scan(rows: Sequence[Sequence[int]]) -> Iterator[tuple[int, SpanScores]]:
        for index, row in enumerate(rows):
            made = compiled(inputs(vocabulary, row))
            pairs, starts, stops = (made[name][0] for name in ("pairs", "starts", "stops"))
            yield index, SpanScores(pairs[1:-1, 1:-1], starts[:, 1:-1], stops[:, 1:-1])

    return scan


def inputs(vocabulary: Vocabulary, row: Sequence[int]) -> dict[str, Any]:
    """What the model is given for one row of ids without special tokens."""
    ids = np.array([[vocabulary.first, *row, vocabulary.last]], np.int64)
    return {IDS: ids, MASK: np.ones_like(ids)}
