"""Features of many regions by ``bedside radiomics extract-all``: are all cores busy, does a case
take as long as one alone, and does it go on after a kill?

The same image and region stand in the list many times, so that a case can be told from one alone:
that one runs first, in the same way.  After a tenth of the cases the command is killed and begun
again; the figures are of what it then does.  One JSON line.

    python -m bench.radiomics_many --image SERIES --mask RTSTRUCT --roi GTV-1 --cases 200
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench.machine import describe
from bench.radiomics import written

_LOOK = 0.5


@dataclass(frozen=True)
class Run:
    """``seconds`` by the clock, ``processor`` of all its processes."""

    seconds: float
    processor: float


def main() -> None:
    """Measure, and print one JSON line."""
    asked = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    asked.add_argument("--image", type=Path, required=True)
    asked.add_argument("--mask", type=Path, required=True)
    asked.add_argument("--roi", default="")
    asked.add_argument("--cases", type=int, default=200)
    asked.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        image, mask, voxels = written(given.image, given.mask, given.roi, folder)
        alone = _run(_listed(folder / "one.csv", image, mask, 1), 1, 0)
        listed = _listed(folder / "many.csv", image, mask, given.cases)
        _run(listed, given.jobs, max(1, given.cases // 10))
        done = _rows(listed)
        after = _run(listed, given.jobs, 0)
        rows = _rows(listed)
    made = rows - done
    line = {
        "bench": "radiomics_many",
        **describe(),
        "load": round(os.getloadavg()[0], 1),
        "voxels": voxels,
        "cases": given.cases,
        "jobs": given.jobs,
        "rows_at_the_kill": done,
        "rows": rows,
        "one_alone": {"seconds": round(alone.seconds, 2), "processor": round(alone.processor, 2)},
        "each": {
            "seconds": round(after.seconds / made, 2),
            "processor": round(after.processor / made, 2),
        },
        "busy": round(after.processor / after.seconds / given.jobs, 3),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024),
    }
    print(json.dumps(line))


def _listed(path: Path, image: Path, mask: Path, cases: int) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["id", "image", "mask", "modality"])
        table.writerows([f"c{number}", image, mask, "CT"] for number in range(cases))
    return path


def _out(listed: Path) -> Path:
    return listed.with_suffix(".features.csv")


def _rows(listed: Path) -> int:
    if not _out(listed).exists():
        return 0
    return max(0, _out(listed).read_bytes().count(b"\n") - 1)


def _run(listed: Path, jobs: int, most: int) -> Run:
    """The command; it is killed when ``most`` rows are there, 0 lets it end."""
    words = ["radiomics", "extract-all", str(listed), "--out", str(_out(listed))]
    words += ["--jobs", str(jobs)]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    used, started = _processor(), time.perf_counter()
    child = subprocess.Popen(
        [sys.executable, "-m", "assistant.cli", *words],
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env=os.environ | threads,
    )
    while child.poll() is None:
        if most and _rows(listed) >= most:
            child.send_signal(signal.SIGKILL)
        time.sleep(_LOOK)
    if not most and child.returncode:
        raise SystemExit(f"extract-all ended with {child.returncode}")
    return Run(time.perf_counter() - started, _processor() - used)


def _processor() -> float:
    """Seconds of the processor of all children that have ended, theirs included."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
