"""Whether the head may have four bits, by measurement: what that does to the model's perplexity.

A head is a sixth of what a small model reads a token, so four bits in place of eight are worth
having, and it is where rounding is seen first.  The graph below the head is run on texts once; what
it gives is what either head would be multiplied by.  The four-bit codes are fitted to one half of
it (`serving.ir.head_fit`), and both heads are judged by the other half.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import openvino
import openvino_genai
import psutil
from numpy.typing import NDArray

from serving.hardware import compute, cpu
from serving.ir.architecture import Architecture
from serving.ir.footprint import needed_memory
from serving.ir.formats import Precision
from serving.ir.head_fit import fit_rows
from serving.ir.matrix import Floats
from serving.ir.quantize import Quantized, Rows, dequantize, quantize_rows, some_rows
from serving.ir.scheme import Scheme

LIMIT = 1.01
"""Four bits are taken where perplexity is at most this times that of eight."""
WINDOW = 512
"""Tokens that are read together."""
_MOST = 6 * WINDOW
_FEWEST = 64
_ROWS = 8192

_log = logging.getLogger("bedside.serving.ir.head_choice")

Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Choice:
    """The head that was chosen, and what was measured, for a manifest."""

    kind: Literal["int4", "int8"]
    codes: Quantized
    told: str


class Chooser:
    """Chooses a head for a graph that ends where the head begins."""

    def __init__(
        self,
        ids: Ids,
        narrow: Callable[[int], Scheme],
        properties: Mapping[str, Any],
        report: Callable[[int, int], None],
    ) -> None:
        """``ids``: texts as tokens.  ``narrow(columns)``: the four-bit form.  ``properties``:
        OpenVINO's, as the model will be served.  ``report(done, total)``: windows read."""
        self._windows = list(windows(ids[:_MOST]))
        self._narrow = narrow
        self._properties = dict(properties)
        self._report = report
        self.chosen: Choice | None = None

    def choose(self, body: Any, read: Rows, shape: tuple[int, int]) -> Choice:
        """``body``: the graph, whose one output is [batch, length, hidden].  ``read``: rows of the
        head's weights, of ``shape``."""
        self.chosen = self._choose(body, read, shape)
        return self.chosen

    def _choose(self, body: Any, read: Rows, shape: tuple[int, int]) -> Choice:
        hidden, following = hidden_states(body, self._windows, self._properties, self._report)
        half = len(hidden) // 2
        wide = quantize_rows(read, shape, Scheme(8))
        if half < _FEWEST:
            return Choice("int8", wide, f"int8: the texts have {len(hidden)} tokens only")
        seen = hidden[:half].astype(np.float64)
        form = self._narrow(shape[1])
        narrow = fit_rows(read, shape, form, seen.T @ seen / half)
        ratio = math.exp(
            nats(narrow, hidden[half:], following[half:])
            - nats(wide, hidden[half:], following[half:])
        )
        told = f"perplexity of int4 is {ratio:.4f} of int8's on {len(hidden) - half} tokens"
        return Choice("int4", narrow, told) if ratio <= LIMIT else Choice("int8", wide, told)


def chooser(
    folder: Path,
    architecture: Architecture,
    precision: Precision,
    texts: Sequence[str],
    report: Callable[[int, int, str], None],
) -> Chooser | None:
    """Judges by ``texts``, with the tokenizer in ``folder``; None where there are none, or where
    the memory that is free does not hold the model."""
    if not texts:
        return None
    if needed_memory(architecture, precision) > psutil.virtual_memory().available:
        _log.warning("too little memory is free to measure an INT4 head; it is INT8")
        return None
    encoder = openvino_genai.Tokenizer(str(folder))
    found = [encoder.encode(text, add_special_tokens=False).input_ids.data[0] for text in texts]
    return Chooser(
        np.concatenate(found).astype(np.int64),
        precision.narrow,
        compute.properties("auto", "auto", precision.words(), cpu.flags()),
        lambda done, total: report(done, total, "judging the head"),
    )


def windows(ids: Ids) -> Iterator[Ids]:
    """Pieces of up to `WINDOW` tokens and at least two."""
    for start in range(0, len(ids) - 1, WINDOW):
        yield ids[start : start + WINDOW]


def hidden_states(
    body: Any,
    pieces: Sequence[Ids],
    properties: Mapping[str, Any],
    report: Callable[[int, int], None],
) -> tuple[Floats, Ids]:
    """What the head is multiplied by [tokens, hidden], and the token that follows each."""
    request = openvino.Core().compile_model(body, "CPU", dict(properties)).create_infer_request()
    found = []
    for number, ids in enumerate(pieces):
        report(number, len(pieces))
        request.reset_state()
        given = {
            "input_ids": ids[np.newaxis],
            "attention_mask": np.ones((1, len(ids)), np.int64),
            "position_ids": np.arange(len(ids))[np.newaxis],
            "beam_idx": np.zeros(1, np.int32),
        }
        known = {name for port in body.inputs for name in port.get_names()}
        result = request.infer({name: given[name] for name in given if name in known})
        found.append(np.array(result[0][0, :-1]))
    report(len(pieces), len(pieces))
    return np.concatenate(found), np.concatenate([ids[1:] for ids in pieces])


def nats(head: Quantized, hidden: Floats, following: Ids) -> float:
    """Mean negative log probability of the tokens ``following`` under a head.

    Rows of the head are taken a few at a time: all logits of a thousand tokens take a GB.
    """
    highest = np.full(len(hidden), -np.inf, np.float32)
    total = np.zeros(len(hidden))
    wanted = np.zeros(len(hidden), np.float32)
    for start in range(0, head.shape[0], _ROWS):
        weights = dequantize(some_rows(head, start, start + _ROWS))
        logits = hidden @ weights.T
        here = np.flatnonzero((following >= start) & (following < start + len(weights)))
        wanted[here] = logits[here, following[here] - start]
        higher = np.maximum(highest, logits.max(axis=1))
        total *= np.exp(highest - higher)
        total += np.exp(logits - higher[:, np.newaxis]).sum(axis=1)
        highest = higher
    return float(np.mean(highest + np.log(total) - wanted))
