"""What the precision of computation and of the key-value cache does, on one and the same IR.

``--what inference`` compares FP32 with BF16 and FP16, ``--what cache`` the cache in u8, BF16, FP16
and FP32; in turns, as in `bench.decode`, with the first as what the others are compared with.  What
they do to the text is `bench.perplexity` with the same properties.

    python -m bench.precision --what inference --geometry chatglm3-1b --folder /tmp/chatglm3-1b-bf16
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from bench.decode import SHAPES, Entrant, lines, run
from bench.machine import describe

INFERENCE = {name: {"INFERENCE_PRECISION_HINT": name} for name in ("f32", "bf16", "f16")}
CACHE = {name: {"KV_CACHE_PRECISION": name} for name in ("u8", "bf16", "f16", "f32")}


def main() -> None:
    """Read the command line, measure, print JSON lines."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--what", choices=("inference", "cache"), required=True)
    add("--geometry", choices=SHAPES, required=True)
    add("--folder", type=Path, required=True, help="a prepared model")
    add("--runner", choices=("stateful", "paged"), default="paged")
    add("--prompts", type=int, nargs="+", default=[512, 2048])
    add("--contexts", type=int, nargs="+", default=[512, 2048])
    add("--new-tokens", type=int, default=33)
    add("--repetitions", type=int, default=5)
    add("--one-process", action="store_true", help="load anew each turn: less memory, more time")
    options = parser.parse_args()
    variants = INFERENCE if options.what == "inference" else CACHE
    python, folder = Path(sys.executable), str(options.folder)
    first = next(iter(variants))
    entrants = [
        Entrant(name, options.runner, folder, python, name != first, dict(properties))
        for name, properties in variants.items()
    ]
    everyone = list(entrants)
    try:
        found = run(entrants, options)
    finally:
        for entrant in everyone:
            entrant.stop()
    common = {"bench": "precision", "what": options.what, "folder": options.folder.name}
    for line in lines(found, everyone, options.repetitions):
        line.pop("ours", None)
        print(json.dumps(common | line | describe()), flush=True)


if __name__ == "__main__":
    main()
