"""Time and memory of a full set of features of one region at 1 mm, beside pyradiomics.

Each run is a process of its own that reads the same two NRRD files, imports included; runs of both
take turns.  Ours computes all IBSI-1 families in 3-D (215 values), pyradiomics its seven classes
(107 values).  One JSON line with the medians.

    python -m bench.radiomics --image SERIES --mask RTSTRUCT --roi GTV-1 --peer PYTHON
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.machine import describe

OURS = """
import json, sys
from pathlib import Path
from assistant.imaging.source import read_image, read_region
from assistant.tasks.radiomics.extraction import extract
from assistant.tasks.radiomics.settings import load
volume = read_image(Path(sys.argv[1]))
region = read_region(Path(sys.argv[2]), volume)
print(len(extract(volume, region.mask, load("standard"))))
"""

PEER = """
import logging, sys
from radiomics import featureextractor
logging.disable(logging.CRITICAL)
made = featureextractor.RadiomicsFeatureExtractor(
    binWidth=25, resampledPixelSpacing=[1, 1, 1], interpolator="sitkBSpline"
)
found = made.execute(sys.argv[1], sys.argv[2])
print(sum(name.startswith("original") for name in found))
"""


def main() -> None:
    """Measure, and print one JSON line."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--image", type=Path, required=True)
    asked.add_argument("--mask", type=Path, required=True)
    asked.add_argument("--roi", default="")
    asked.add_argument("--peer", type=Path, help="A Python with pyradiomics.")
    asked.add_argument("--repetitions", type=int, default=5)
    given = asked.parse_args()
    entrants = {"ours": (sys.executable, OURS)}
    if given.peer:
        entrants["pyradiomics"] = (str(given.peer), PEER)
    runs: dict[str, list[tuple[float, float, int]]] = {name: [] for name in entrants}
    with tempfile.TemporaryDirectory() as folder:
        image, mask, voxels = written(given.image, given.mask, given.roi, Path(folder))
        for _ in range(given.repetitions):
            for name, (python, code) in entrants.items():
                runs[name].append(_run(python, code, image, mask))
    line = {
        "bench": "radiomics",
        **describe(),
        "load": round(os.getloadavg()[0], 1),
        "voxels": voxels,
        "repetitions": given.repetitions,
    }
    for name, found in runs.items():
        line[name] = {
            "seconds": round(statistics.median(one[0] for one in found), 2),
            "least": round(min(one[0] for one in found), 2),
            "peak_mib": round(max(one[1] for one in found)),
            "features": found[0][2],
        }
    print(json.dumps(line, ensure_ascii=False))


def written(series: Path, region: Path, roi: str, folder: Path) -> tuple[Path, Path, int]:
    """Image and mask as NRRD, which both read, and the voxels of the region."""
    import nrrd

    from assistant.imaging.source import read_image, read_region

    volume = read_image(series)
    found = read_region(region, volume, roi)
    header = {
        "space": "left-posterior-superior",
        "space directions": volume.grid.step[:, ::-1].T,
        "space origin": volume.grid.origin,
        "encoding": "raw",
    }
    paths = folder / "image.nrrd", folder / "mask.nrrd"
    arrays = volume.array.astype("int16"), found.mask.astype("uint8")
    for path, array in zip(paths, arrays, strict=True):
        nrrd.write(str(path), array.transpose(2, 1, 0), header, index_order="F")
    return *paths, int(found.mask.sum())


def _run(python: str, code: str, image: Path, mask: Path) -> tuple[float, float, int]:
    """Seconds, peak memory in MiB, and how many features."""
    started = time.perf_counter()
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    child = subprocess.Popen(
        [python, "-c", code, str(image), str(mask)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={k: v for k, v in os.environ.items() if k != "PYTHONPATH" or python == sys.executable}
        | threads,
    )
    assert child.stdout is not None
    said = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - started
    if status:
        raise SystemExit(f"{python} ended with {status}")
    return seconds, usage.ru_maxrss / 1024, int(said)


if __name__ == "__main__":
    main()
