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
import psutil
from numpy.typing import NDArray

from serving import tokenizer
from serving.engine import EngineUnavailable
from serving.engines.openvino.stateful_model import StatefulModel
from serving.hardware import compute, cpu
from serving.models import manifest

PIECE = 128
"""Tokens of one pass whose logits are kept: a vocabulary of 150,000 takes 77 MB for that many."""

_PROMPT_TOKENS = 512
_DECODE_STEPS = 32
_PASSES = 3


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


def measure(folder: Path, texts: list[str], most_tokens: int) -> Reading:
    """Score ``texts``, at most ``most_tokens`` of all of them, and time the model.

    Raises:
        EngineUnavailable: the folder is no model.
        ValueError: the texts have no two tokens.
    """
    known, encoder = tokenizer.load(folder)
    # As the engine serves it where nothing else is asked for.
    properties = compute.properties("auto", "auto", known.settings, cpu.flags())
    model = StatefulModel(folder / manifest.MODEL_FILE, "CPU", properties)
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
    model: StatefulModel, ids: NDArray[np.int64], first: int
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


def _speeds(model: StatefulModel, ids: NDArray[np.int64]) -> tuple[float, float]:
    """Tokens a second of reading a prompt (median of some passes) and of the steps after it."""

    def read() -> None:
        model.reset()
        model.step(ids)

    read()
    prompt = statistics.median(_seconds(read) for _ in range(_PASSES))
    following = int(ids[-1])
    steps = []
    for _ in range(_DECODE_STEPS):
        started = time.perf_counter()
        row = model.step(np.array([following]))[0]
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
