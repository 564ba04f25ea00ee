"""Seconds and peak memory of converting a checkpoint: our command and the peers', in turns.

Each conversion is a process of its own, in a fresh output folder that is removed afterwards
(``--keep`` keeps the last of each command); the command names that folder as ``{out}``.  Peak
memory is the largest resident size that the kernel noted (mapped files count), and beside it the
largest anonymous part that was seen five times a second.  A process tree that grows beyond
``--limit-gib`` is ended, and that is its result.

    python -m bench.conversion --scratch /tmp/scratch \\
        --convert 'ours=bedside model convert /tmp/glm-1b --weights int4 --group 128 --out {out}' \\
        --convert 'optimum=/tmp/optimum/bin/optimum-cli export openvino -m /tmp/glm-1b
            --task text-generation-with-past --weight-format int4 --sym --group-size 128
            --ratio 1.0 {out}'
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.machine import describe

_EVERY = 0.2


@dataclass(frozen=True, slots=True)
class Conversion:
    """One conversion.  ``status``: ``done``, ``failed`` or ``out of memory``."""

    seconds: float
    peak_resident: int
    peak_anonymous: int
    output: int
    status: str
    last_words: str


class Watch(threading.Thread):
    """Notes how much memory a process tree holds, and ends it beyond a limit."""

    def __init__(self, pid: int, limit: float) -> None:
        super().__init__(daemon=True)
        self._root = psutil.Process(pid)
        self._limit = limit
        self.ended = threading.Event()
        self.peak_anonymous = 0
        self.killed = False

    def run(self) -> None:
        """Look until ``ended`` is set."""
        while not self.ended.wait(_EVERY):
            resident = anonymous = 0
            tree = self._tree()
            for process in tree:
                try:
                    info = process.memory_info()
                except psutil.Error:
                    continue
                resident += info.rss
                anonymous += info.rss - info.shared
            self.peak_anonymous = max(self.peak_anonymous, anonymous)
            if resident > self._limit:
                self.killed = True
                for process in tree:
                    _kill(process)

    def _tree(self) -> list[psutil.Process]:
        try:
            return [*self._root.children(recursive=True), self._root]
        except psutil.Error:
            return []


def _kill(process: psutil.Process) -> None:
    try:
        process.kill()
    except psutil.Error:
        return


def convert(command: str, scratch: Path, limit: float, keep: Path | None = None) -> Conversion:
    """Run one command; its output folder does not exist before and not after, unless it is moved
    to ``keep``."""
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        out = Path(folder) / "model"
        log = Path(folder) / "log"
        with log.open("wb") as file:
            begin = time.perf_counter()
            child = subprocess.Popen(
                shlex.split(command.replace("{out}", shlex.quote(str(out)))),
                stdout=file,
                stderr=subprocess.STDOUT,
            )
            watch = Watch(child.pid, limit)
            watch.start()
            _, status, usage = os.wait4(child.pid, 0)
            seconds = time.perf_counter() - begin
            watch.ended.set()
            watch.join()
            child.returncode = os.waitstatus_to_exitcode(status)
        words = log.read_text("utf-8", errors="replace")[-600:] if child.returncode else ""
        done = "out of memory" if watch.killed else "done" if child.returncode == 0 else "failed"
        size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
        if keep is not None and done == "done":
            shutil.rmtree(keep, ignore_errors=True)
            shutil.move(out, keep)
        return Conversion(
            seconds=seconds,
            peak_resident=usage.ru_maxrss << 10,
            peak_anonymous=watch.peak_anonymous,
            output=size,
            status=done,
            last_words=words,
        )


def line_of(name: str, rounds: list[Conversion]) -> dict[str, object]:
    """The medians of one command."""
    return {
        "bench": "conversion",
        "converter": name,
        "status": sorted({one.status for one in rounds}),
        "seconds": round(statistics.median(one.seconds for one in rounds), 1),
        "peak_resident_gib": _gib(max(one.peak_resident for one in rounds)),
        "peak_anonymous_gib": _gib(max(one.peak_anonymous for one in rounds)),
        "output_gib": _gib(max(one.output for one in rounds)),
        "repetitions": len(rounds),
    }


def _gib(size: int) -> float:
    return round(size / 2**30, 2)


def main() -> None:
    """Read the command line, convert, print JSON lines."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--convert", action="append", required=True, metavar="NAME=COMMAND")
    parser.add_argument("--scratch", type=Path, required=True, help="where the outputs go")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--limit-gib", type=float, default=20.0)
    parser.add_argument("--keep", type=Path, help="the last output of each command goes here")
    options = parser.parse_args()
    commands = dict(pair.split("=", 1) for pair in options.convert)
    found: dict[str, list[Conversion]] = defaultdict(list)
    options.scratch.mkdir(parents=True, exist_ok=True)
    for repetition in range(options.repetitions):
        for name, command in commands.items():
            if any(one.status != "done" for one in found[name]):
                continue
            keep = options.keep and options.keep / name
            one = convert(command, options.scratch, options.limit_gib * 2**30, keep)
            found[name].append(one)
            told = f"{repetition + 1}: {name}: {one.status}, {one.seconds:.0f} s"
            print(told, one.last_words, file=sys.stderr, flush=True)
    for name, rounds in found.items():
        print(json.dumps(line_of(name, rounds) | describe(), ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
