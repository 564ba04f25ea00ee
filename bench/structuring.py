"""Notes a second of ``bedside structure FOLDER``, beside another checkout of this project.

Both structure the same notes, each run by its own command line from nothing to a whole file; runs
are interleaved, and what they write is compared note by note.

    python -m bench.structuring --texts notes.jsonl --peer ../older --count 200 --runs 3

The texts are JSON lines with ``text``; the knowledge base is that of ``BEDSIDE_HOME``.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import Any

from bench.machine import describe

HERE = Path(__file__).resolve().parent.parent


def main() -> None:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=Path, required=True)
    parser.add_argument("--peer", type=Path, required=True, help="Another checkout.")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    sides = {"here": HERE, "peer": options.peer.resolve()}
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    with tempfile.TemporaryDirectory(prefix="bedside-") as folder:
        notes = Path(folder) / "notes"
        count = write_notes(options.texts, notes, options.count)
        written: dict[str, list[Any]] = {}
        for _ in range(options.runs):
            for name, checkout in sides.items():
                out = Path(folder) / f"{name}.jsonl"
                seconds[name].append(run(checkout, notes, out))
                written[name] = read(out)
    print(
        json.dumps(
            {
                **describe(),
                "notes": count,
                "same_output": written["here"] == written["peer"],
                "best_notes_a_second": {k: round(count / min(v), 2) for k, v in seconds.items()},
                "median_seconds": {k: round(statistics.median(v), 2) for k, v in seconds.items()},
                "times_faster": round(min(seconds["peer"]) / min(seconds["here"]), 2),
            },
            indent=1,
        )
    )


def write_notes(texts: Path, folder: Path, count: int) -> int:
    """The first texts as a file each; how many there were."""
    folder.mkdir()
    opened = gzip.open if texts.suffix == ".gz" else open
    with opened(texts, "rt", encoding="utf-8") as lines:
        found = [json.loads(line)["text"] for line in islice(lines, count)]
    for number, text in enumerate(found):
        (folder / f"{number:05d}.txt").write_text(text, encoding="utf-8")
    return len(found)


def run(checkout: Path, notes: Path, out: Path) -> float:
    """Seconds of the command of a checkout."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "assistant.cli", "structure", str(notes)]
    subprocess.run(
        [*command, "--out", str(out), "--restart"],
        env=os.environ | {"PYTHONPATH": str(checkout)},
        cwd=checkout,
        check=True,
        stderr=subprocess.DEVNULL,
    )
    return time.perf_counter() - started


def read(out: Path) -> list[Any]:
    """What was written, without the time that each note took."""
    notes = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    for note in notes:
        del note["seconds"]
    return notes


if __name__ == "__main__":
    main()
