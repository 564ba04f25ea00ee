"""One converted model measured on texts, in a process of its own (`serving.ir.trial` starts it).

Reads one JSON object (``folder``, ``texts``, ``most_tokens``) from standard input and writes one,
the fields of `Reading`, to standard output.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import openvino
import psutil
from numpy.typing import NDArray

from serving import compute, cpu, manifest, tokenizer
from serving.engine import EngineUnavailable

PIECE = 128
"""Tokens of one pass whose logits are kept: a vocabulary of 150,000 takes 77 MB for that many."""

_PROMPT_TOKENS = 512
_DECODE_STEPS = 32
_PASSES = 3
_ROWS = "rows"


@dataclass(frozen=True, slots=True)
class Reading:
    """``nats``: sum of the negative log probabilities of ``scored`` tokens.  ``likeliest``: the
    first choice at each of them.  Speeds in tokens a second at batch 1; ``resident`` in bytes."""

    scored: int
    nats: float
    likeliest: list[int]
    prompt_speed: float
    decode_speed: float
    resident: int


class Stateful:
    """A converted model, asked for the logits of chosen rows only."""

    def __init__(self, folder: Path) -> None:
        model = openvino.Core().read_model(folder / manifest.MODEL_FILE)
        _choose_rows(model)
        settings = manifest.read(folder).settings
        # As the engine serves it where nothing else is asked for.
        properties = compute.properties("auto", "auto", settings, cpu.flags())
        compiled = openvino.Core().compile_model(model, "CPU", properties)
        self._request = compiled.create_infer_request()
        self._inputs = {name for port in compiled.inputs for name in port.get_names()}
        self._seen = 0

    def reset(self) -> None:
        """Forget every token."""
        self._request.reset_state()
        self._seen = 0

    def step(self, ids: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Logits [rows, vocabulary] after the next tokens; the memory is the model's own."""
        last = self._seen + len(ids)
        given = {
            "input_ids": ids[np.newaxis],
            "attention_mask": np.ones((1, last), np.int64),
            "position_ids": np.arange(self._seen, last)[np.newaxis],
            "beam_idx": np.zeros(1, np.int32),
            _ROWS: rows,
        }
        self._request.infer({key: value for key, value in given.items() if key in self._inputs})
        self._seen = last
        logits: NDArray[np.float32] = self._request.get_tensor("logits").data[0]
        return logits


def measure(folder: Path, texts: list[str], most_tokens: int) -> Reading:
    """Score ``texts``, at most ``most_tokens`` of all of them, and time the model.

    Raises:
        EngineUnavailable: the folder is no model.
        ValueError: the texts have no two tokens.
    """
    known, encoder = tokenizer.load(folder)
    model = Stateful(folder)
    samples = list(_samples(encoder, texts, most_tokens, known.context_length))
    if not samples:
        raise ValueError("The texts hold fewer than two tokens.")
    nats, likeliest = 0.0, []
    for ids, first in samples:
        for row, wanted in _rows(model, ids, first):
            nats -= _log_probability(row, wanted)
            likeliest.append(int(row.argmax()))
    every = np.concatenate([ids for ids, _ in samples])
    longest = np.resize(every, min(_PROMPT_TOKENS, known.context_length - _DECODE_STEPS))
    prompt, decode = _speeds(model, longest)
    resident = psutil.Process().memory_info().rss
    return Reading(len(likeliest), nats, likeliest, prompt, decode, resident)


def _choose_rows(model: Any) -> None:
    """Give the model an input that says of which rows the head is to be computed.

    Serving computes the head of a prompt's last token only; timing it with all of them would
    understate every precision.
    """
    head = model.output("logits").get_node().input_value(0).get_node()
    while head.get_type_name() != "MatMul":
        head = head.input_value(0).get_node()
    rows = openvino.opset16.parameter([-1], openvino.Type.i64)
    rows.set_friendly_name(_ROWS)
    rows.output(0).set_names({_ROWS})
    axis = openvino.opset16.constant(np.array(1, np.int64))
    chosen = openvino.opset16.gather(head.input_value(0), rows, axis)
    head.input(0).replace_source_output(chosen.output(0))
    model.add_parameters([rows])
    model.validate_nodes_and_infer_types()


def _samples(
    encoder: Any, texts: list[str], most_tokens: int, context: int
) -> Iterator[tuple[NDArray[np.int64], int]]:
    """Token ids of each text, the tokens that the model wants first before it, and the first
    place that is scored."""
    left = most_tokens
    for text in texts:
        plain = tokenizer.encode(encoder, text).data[0]
        whole = encoder.encode(tokenizer.well_formed(text), add_special_tokens=True).input_ids
        count = len(whole.data[0]) - len(plain)
        # ChatGLM-6B's tokenizer puts the start of the answer behind the text; here it begins it.
        first, last = whole.data[0][:count], whole.data[0][len(plain) :]
        special = first if np.array_equal(whole.data[0][count:], plain) else last
        ids = np.concatenate([special, plain]).astype(np.int64)[: min(left, context)]
        begin = max(count, 1)
        if len(ids) > begin:
            yield ids, begin
            left -= len(ids)


def _rows(
    model: Stateful, ids: NDArray[np.int64], first: int
) -> Iterator[tuple[NDArray[np.float32], int]]:
    """The logits of every scored place, with the token that stands there."""
    model.reset()
    for start in range(0, len(ids) - 1, PIECE):
        piece = ids[start : min(start + PIECE, len(ids) - 1)]
        logits = model.step(piece, np.arange(len(piece)))
        for offset, row in enumerate(logits):
            place = start + offset + 1
            if place >= first:
                yield row, int(ids[place])


def _log_probability(row: NDArray[np.float32], wanted: int) -> float:
    top = row.max()
    return float(row[wanted] - top - np.log(np.exp(row - top, dtype=np.float64).sum()))


def _speeds(model: Stateful, ids: NDArray[np.int64]) -> tuple[float, float]:
    """Tokens a second of reading a prompt (median of some passes) and of the steps after it."""
    last = np.array([-1])

    def read() -> None:
        model.reset()
        model.step(ids, last)

    read()
    prompt = statistics.median(_seconds(read) for _ in range(_PASSES))
    following = int(ids[-1])
    steps = []
    for _ in range(_DECODE_STEPS):
        started = time.perf_counter()
        row = model.step(np.array([following]), last)[0]
        steps.append(time.perf_counter() - started)
        following = int(row.argmax())
    return len(ids) / prompt, 1 / statistics.median(steps)


def _seconds(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    """``python -m serving.ir.trial_worker``."""
    # Whatever a library prints must not get into the answer.
    answer = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)
    wanted = json.loads(sys.stdin.buffer.read())
    try:
        found = asdict(measure(Path(wanted["folder"]), wanted["texts"], wanted["most_tokens"]))
    except (EngineUnavailable, ValueError) as error:
        found = {"problem": str(error)}
    print(json.dumps(found), file=answer, flush=True)


if __name__ == "__main__":
    main()
