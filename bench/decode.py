"""Tokens per second of one request, seconds to first token, memory: ours and every peer, in turns.

Every entrant holds the same random tensors in a process of its own and reads the same made-up token
ids; one computes at a time.  Before and after each piece of work the speed at which the machine
reads memory is measured: every weight is read once a token, so that speed divided by the weights'
bytes is the most tokens per second that there can be.  Ratios are taken within a repetition and
their median is told.  An entrant is NAME=RUNNER:PATH; runners are ``paged`` and ``stateful`` (an
OpenVINO folder), ``gguf`` and ``bigdl``.  See bench/PEERS.md for how they are made.

    python -m bench.decode --ours int4=paged:/tmp/ours --python optimum=/tmp/optimum/bin/python \\
        --peer optimum=paged:/tmp/optimum-ir --python llama=/tmp/llama/bin/python \\
        --peer llama=gguf:/tmp/q4_0.gguf > decode.jsonl
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.bandwidth import Probe
from bench.machine import describe
from bench.peer_process import PeerFailed, PeerProcess
from bench.random_checkpoint import GEOMETRIES, Geometry

SHAPES = GEOMETRIES | {"demo": Geometry("qwen2", 896, 4864, 24, 14, 2, 151936)}
_NEW_TAIL = 16
_PAUSE = 0.3


@dataclass
class Entrant:
    """One engine with one model.  ``process`` is None while it is not started."""

    name: str
    runner: str
    path: str
    python: Path
    ours: bool
    options: dict[str, Any]
    process: PeerProcess | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    def start(self, warm_up: bool = True) -> None:
        """Load the model, unless it is loaded."""
        if self.process is None:
            self.process = PeerProcess(self.python, self.runner)
            self.facts = self.process.ask("load", path=self.path, **self.options)
            if warm_up:
                self._warm_up()

    def _warm_up(self) -> None:
        self.ask("prompt", ids=list(range(5, 69)), new_tokens=4)
        self.ask("decode", count=3)

    def ask(self, do: str, **request: Any) -> dict[str, Any]:
        """See `PeerProcess.ask`."""
        assert self.process is not None
        return self.process.ask(do, **request)

    def stop(self) -> None:
        """End its process."""
        if self.process is not None:
            self.process.close()
            self.process = None


@dataclass(frozen=True, slots=True)
class Turn:
    """What one entrant did in one repetition at one length of prompt.

    ``limit`` is in tokens per second; ``limit_with_cache`` counts the reading of keys and values.
    """

    seconds_to_first: float
    warm_seconds_to_first: float | None
    tokens_per_second: float | None
    limit: float
    limit_with_cache: float
    bandwidth: float
    resident: int
    anonymous: int
    peak_resident: int


def turn(
    entrant: Entrant, length: int, new_tokens: int, seed: int, probe: Probe, geometry: Geometry
) -> Turn:
    """Read a prompt nobody has seen, then decode; with a prefix cache, read its like again."""
    source = random.Random(seed)
    ids = [source.randrange(5, geometry.vocabulary) for _ in range(length)]
    read = entrant.ask("prompt", ids=ids, new_tokens=new_tokens)
    bandwidth, per_second = probe(), None
    memory = read
    if new_tokens > 1:
        memory = entrant.ask("decode", count=new_tokens - 1)
        bandwidth = statistics.mean((bandwidth, probe()))
        per_second = (new_tokens - 1) / memory["seconds"]
    warm = None
    if entrant.runner == "paged":
        like = ids[:-_NEW_TAIL] + [source.randrange(5, geometry.vocabulary)] * _NEW_TAIL
        warm = entrant.ask("prompt", ids=like, new_tokens=1)["seconds"]
    weights = entrant.facts["weight_bytes"]
    cache = geometry.cache_elements(length) * entrant.facts["cache_element_bytes"]
    return Turn(
        seconds_to_first=read["seconds"],
        warm_seconds_to_first=warm,
        tokens_per_second=per_second,
        limit=bandwidth / weights,
        limit_with_cache=bandwidth / (weights + cache),
        bandwidth=bandwidth,
        resident=memory["resident"],
        anonymous=memory["anonymous"],
        peak_resident=memory["peak_resident"],
    )


Found = dict[tuple[str, int], list[Turn]]


def run(entrants: list[Entrant], options: argparse.Namespace) -> Found:
    """All turns; an entrant that fails is told on standard error and left out from there on."""
    probe = Probe()
    geometry = SHAPES[options.geometry]
    found: Found = defaultdict(list)
    seed = random.SystemRandom().randrange(10**9)
    for repetition in range(options.repetitions):
        for entrant in list(entrants):
            try:
                entrant.start()
                for length in options.prompts:
                    new_tokens = options.new_tokens if length in options.contexts else 1
                    time.sleep(_PAUSE)
                    found[entrant.name, length].append(
                        turn(entrant, length, new_tokens, seed + length, probe, geometry)
                    )
                    _tell(repetition, entrant.name, length, found[entrant.name, length][-1])
            except PeerFailed as error:
                print(f"{entrant.name} is out: {error}", file=sys.stderr, flush=True)
                entrants.remove(entrant)
                entrant.stop()
            if options.one_process:
                entrant.stop()
        seed += 10**6
    return found


def _tell(repetition: int, name: str, length: int, last: Turn) -> None:
    speed = f"{last.tokens_per_second:.2f} tokens/s, " if last.tokens_per_second else ""
    print(
        f"{repetition + 1}: {name} after {length}: {speed}first {last.seconds_to_first:.2f} s, "
        f"{last.bandwidth / 1e9:.1f} GB/s",
        file=sys.stderr,
        flush=True,
    )


def lines(found: Found, entrants: list[Entrant], minimum: int) -> Iterator[dict[str, Any]]:
    """A line for every entrant and length, then the comparisons."""
    for (name, length), turns in found.items():
        entrant = next((one for one in entrants if one.name == name), None)
        if entrant is None or len(turns) < minimum:
            continue
        yield {
            "entrant": name,
            "ours": entrant.ours,
            "prompt_tokens": length,
            "tokens_per_second": _median(turns, lambda t: t.tokens_per_second, 2),
            "of_limit": _median(turns, _share, 3),
            "of_limit_with_cache": _median(turns, _share_with_cache, 3),
            "seconds_to_first_token": _median(turns, lambda t: t.seconds_to_first, 3),
            "warm_seconds_to_first_token": _median(turns, lambda t: t.warm_seconds_to_first, 3),
            "read_gb_per_second": _median(turns, lambda t: t.bandwidth / 1e9, 1),
            "weight_gb": round(entrant.facts["weight_bytes"] / 1e9, 3),
            "resident_gib": _median(turns, lambda t: t.resident / 2**30, 2),
            "anonymous_gib": _median(turns, lambda t: t.anonymous / 2**30, 2),
            "peak_resident_gib": max(round(t.peak_resident / 2**30, 2) for t in turns),
            "repetitions": len(turns),
        }
    yield from _comparisons(found, entrants)


def _share(one: Turn) -> float | None:
    return one.tokens_per_second and one.tokens_per_second / one.limit


def _share_with_cache(one: Turn) -> float | None:
    return one.tokens_per_second and one.tokens_per_second / one.limit_with_cache


def _comparisons(found: Found, entrants: list[Entrant]) -> Iterator[dict[str, Any]]:
    """Ours against each peer, repetition by repetition."""
    for (name, length), turns in found.items():
        for peer in entrants:
            theirs = found.get((peer.name, length), [])
            if peer.ours or not theirs or not any(e.ours and e.name == name for e in entrants):
                continue
            pairs = list(zip(turns, theirs, strict=False))
            speeds = [
                a.tokens_per_second / b.tokens_per_second
                for a, b in pairs
                if a.tokens_per_second and b.tokens_per_second
            ]
            yield {
                "entrant": name,
                "against": peer.name,
                "prompt_tokens": length,
                "times_the_tokens_per_second": round(statistics.median(speeds), 2)
                if speeds
                else None,
                "times_the_seconds_to_first_token": round(
                    statistics.median(a.seconds_to_first / b.seconds_to_first for a, b in pairs), 3
                ),
            }


def _median(turns: list[Turn], value: Callable[[Turn], float | None], digits: int) -> float | None:
    values = [found for one in turns if (found := value(one)) is not None]
    return round(statistics.median(values), digits) if values else None


def entrants_of(options: argparse.Namespace) -> list[Entrant]:
    """Who takes part: first ours, then the peers."""
    pythons = dict(pair.split("=", 1) for pair in options.python)
    chosen = dict(pair.split("=", 1) for pair in options.options)
    made = []
    for ours, texts in ((True, options.ours), (False, options.peer)):
        for text in texts:
            name, _, rest = text.partition("=")
            runner, _, path = rest.partition(":")
            settings = json.loads(chosen.get(name, "{}"))
            if runner == "bigdl":
                settings.setdefault("kernel", _fastest_kernel())
            python = Path(pythons.get(name, sys.executable))
            made.append(Entrant(name, runner, path, python, ours, settings))
    return made


def _fastest_kernel() -> str:
    from serving.engines.bigdl.kernel import kernels
    from serving.hardware import cpu

    return kernels(cpu.shared_flags())[0]


def main() -> None:
    """Read the command line, measure, print JSON lines."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--geometry", choices=SHAPES, required=True)
    add("--ours", action="append", default=[], metavar="NAME=RUNNER:PATH")
    add("--peer", action="append", default=[], metavar="NAME=RUNNER:PATH")
    add("--python", action="append", default=[], metavar="NAME=PATH", help="of an entrant")
    add("--options", action="append", default=[], metavar="NAME=JSON", help="of its load")
    add("--prompts", type=int, nargs="+", default=[256, 512, 2048])
    add("--contexts", type=int, nargs="+", default=[256, 2048], help="lengths to decode after")
    add("--new-tokens", type=int, default=33)
    add("--repetitions", type=int, default=5)
    add("--one-process", action="store_true", help="load anew each turn: less memory, more time")
    options = parser.parse_args()
    entrants = entrants_of(options)
    everyone = list(entrants)
    try:
        found = run(entrants, options)
    finally:
        for entrant in everyone:
            entrant.stop()
    common = {"bench": "decode", "geometry": options.geometry}
    for line in lines(found, everyone, options.repetitions):
        print(json.dumps(common | line | describe(), ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
