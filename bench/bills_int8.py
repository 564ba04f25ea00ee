"""The network that finds lines in eight bits: calibrated on generated pages, made by NNCF.

In two steps, as NNCF needs packages that this project does without:

    python -m bench.bills_int8 pages.npz                 # where this project is installed
    python bench/bills_int8.py pages.npz --model DIR     # where NNCF is

The second reads ``DIR/detection.xml``, which the first wrote beside the pages, and writes
``detection_int8.xml`` and ``.bin`` there; they go to ``serving/ocr/data``, their hashes to
`serving.ocr.models`.
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path

import numpy as np

LONGEST = 1_280
SEED = 4_242


def calibration(target: Path, count: int) -> None:
    """Write ``count`` easy and ``count`` hard pages as the network sees them, and the network."""
    import openvino
    from PIL import Image

    from eval.clinical.bills.generator.sets import sample
    from serving.ocr import detection, models
    from serving.ocr.network import takes_bytes
    from serving.ocr.pages import open_pages

    seen = {}
    for name in ("easy", "hard"):
        for number in range(count):
            data = io.BytesIO()
            Image.fromarray(sample(name, number, SEED).image).save(data, "PNG")
            for page in open_pages(data.getvalue(), "page.png"):
                image = np.ascontiguousarray(page.image)
                scale = detection.scale_for(*image.shape[:2], LONGEST)
                seen[f"{name}-{number}-{page.number}"] = detection.fitted(image, scale)[None]
    np.savez(target, **seen)
    network = takes_bytes(models.read("detection"))
    openvino.save_model(network, target.parent / "detection.xml", compress_to_fp16=False)


def quantise(pages: Path, folder: Path) -> None:
    """Write the network of ``folder`` in eight bits."""
    import nncf
    import openvino

    with np.load(pages) as kept:
        data = [kept[name] for name in kept.files]
    network = openvino.Core().read_model(folder / "detection.xml")
    made = nncf.quantize(
        network,
        nncf.Dataset(data),
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(data),
        fast_bias_correction=True,
    )
    openvino.save_model(made, folder / "detection_int8.xml")


def main() -> None:
    """One of the two steps."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pages", type=Path)
    parser.add_argument("--model", type=Path, help="where detection.xml is: make it in eight bits")
    parser.add_argument("--count", type=int, default=7, help="pages of each set")
    options = parser.parse_args()
    if options.model is None:
        calibration(options.pages, options.count)
    else:
        quantise(options.pages, options.model)


if __name__ == "__main__":
    main()
