"""What a quantisation does to a model: perplexity, and its logits against those of a reference.

Every entrant (NAME=RUNNER:PATH, as for `bench.decode`; runners ``stateful``, ``gguf``, ``bigdl``)
reads the same tokens in windows of the same length: the held-out text beside this module, or, with
``--random``, token ids of a random-weight model.  The first entrant is the reference of "mean
squared error" and "same best token".  ``--exact`` lets the OpenVINO runners compute in FP32 with no
quantised activations and an FP32 cache, so that the weights alone are compared.

    python -m bench.perplexity --exact --tokenizer /tmp/demo-fp16 \\
        --entrant full=stateful:/tmp/demo-fp16 --entrant int4=stateful:/tmp/demo-int4 \\
        --python q4_0=/tmp/llama/bin/python --entrant q4_0=gguf:/tmp/demo-q4_0.gguf
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.decode import Entrant, entrants_of
from bench.machine import describe
from bench.random_checkpoint import GEOMETRIES

HELD_OUT = Path(__file__).parent / "held_out.txt"
_EXACT = {
    "INFERENCE_PRECISION_HINT": "f32",
    "KV_CACHE_PRECISION": "f32",
    "DYNAMIC_QUANTIZATION_GROUP_SIZE": "0",
}


@dataclass
class Tally:
    """Sums over windows."""

    loss: float = 0.0
    predicted: int = 0
    squared: float = 0.0
    numbers: int = 0
    same: int = 0
    positions: int = 0

    def add(self, logits: np.ndarray, ids: list[int], reference: np.ndarray) -> None:
        """Count one window; both arrays are [length, vocabulary]."""
        self.loss -= float(log_probabilities(logits[:-1], ids[1:]).sum())
        self.predicted += len(ids) - 1
        for mine, other in zip(logits, reference, strict=True):
            self.squared += float(np.square(mine.astype(np.float64) - other).sum())
        self.numbers += logits.size
        self.same += int((logits.argmax(-1) == reference.argmax(-1)).sum())
        self.positions += len(ids)

    def line(self) -> dict[str, Any]:
        """The figures."""
        return {
            "perplexity": round(float(np.exp(self.loss / self.predicted)), 4),
            "logits_mean_squared_error": float(f"{self.squared / self.numbers:.4g}"),
            "same_best_token": round(self.same / self.positions, 4),
            "tokens": self.positions,
        }


def log_probabilities(logits: np.ndarray, chosen: list[int]) -> np.ndarray:
    """Natural-log softmax of ``logits`` [length, vocabulary] at the ``chosen`` ids, [length]."""
    found = np.empty(len(chosen))
    for at, (row, token) in enumerate(zip(logits.astype(np.float64), chosen, strict=True)):
        top = row.max()
        found[at] = row[token] - top - np.log(np.exp(row - top).sum())
    return found


def windows(options: argparse.Namespace) -> Iterator[list[int]]:
    """Token ids, ``--window`` at a time; what is left at the end is read too."""
    if options.random:
        source = random.Random(options.seed)
        size = GEOMETRIES[options.random].vocabulary
        ids = [source.randrange(5, size) for _ in range(2 * options.window)]
    else:
        from serving.tokenizer import encode, load

        text = HELD_OUT.read_text("utf-8")
        ids = encode(load(options.tokenizer)[1], text).data[0].tolist()
    for start in range(0, len(ids) - 1, options.window):
        yield ids[start : start + options.window]


def measure(entrants: list[Entrant], options: argparse.Namespace) -> dict[str, Tally]:
    """One entrant after the other, each in memory alone; the reference's logits wait on disk."""
    tallies = {entrant.name: Tally() for entrant in entrants}
    reference = entrants[0].name
    with tempfile.TemporaryDirectory(dir=options.scratch) as folder:
        for entrant in entrants:
            entrant.start(warm_up=False)
            for number, ids in enumerate(windows(options)):
                mine = Path(folder) / f"{number}.npy"
                path = mine if entrant.name == reference else mine.with_name("other.npy")
                entrant.ask("logits", ids=ids, path=str(path))
                tallies[entrant.name].add(np.load(path), ids, np.load(mine, mmap_mode="r"))
            entrant.stop()
            print(entrant.name, tallies[entrant.name].line(), file=sys.stderr, flush=True)
    return tallies


def main() -> None:
    """Read the command line, measure, print JSON lines."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--entrant", action="append", required=True, metavar="NAME=RUNNER:PATH")
    add("--python", action="append", default=[], metavar="NAME=PATH")
    add("--options", action="append", default=[], metavar="NAME=JSON")
    add("--tokenizer", type=Path, help="an OpenVINO folder of the model")
    add("--random", choices=GEOMETRIES, help="random token ids for this geometry instead")
    add("--seed", type=int, default=0)
    add("--window", type=int, default=512)
    add("--exact", action="store_true", help="FP32 everywhere but the weights")
    add("--scratch", type=Path, help="where the logits wait (half a GiB a window)")
    options = parser.parse_args()
    options.ours, options.peer = [], options.entrant
    entrants = entrants_of(options)
    for entrant in entrants:
        if entrant.runner == "gguf":
            entrant.options |= {"logits_all": True, "context": options.window}
        elif entrant.runner == "stateful" and options.exact:
            entrant.options = _EXACT | entrant.options
    try:
        tallies = measure(entrants, options)
    finally:
        for entrant in entrants:
            entrant.stop()
    common = {"bench": "perplexity", "text": options.random or HELD_OUT.name}
    common |= {"computation": "exact" if options.exact else "default"}
    for name, tally in tallies.items():
        print(json.dumps(common | {"entrant": name} | tally.line() | describe()), flush=True)


if __name__ == "__main__":
    main()
