"""The benchmark values of IBSI-1: digital phantom, and the CT phantom by configurations A and B."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from assistant.imaging.source import read_image, read_region
from assistant.tasks.radiomics.extraction import extract
from assistant.tasks.radiomics.settings import load

CASES = {
    "ibsi-digital": ("digital_phantom", "ibsi_1_dig_phantom.csv", 482),
    "ibsi-a": ("ct_phantom", "ibsi_1_chest_config_a.csv", 346),
    "ibsi-b": ("ct_phantom", "ibsi_1_chest_config_b.csv", 346),
}
OF_THE_IMAGE = ("img_", "vox_", "int_mask", "morph_mask", "mean_int", "min_int", "max_int")


@pytest.mark.shared
@pytest.mark.parametrize("settings", CASES)
def test_every_value_is_within_its_tolerance(shared_data: Path, settings: str) -> None:
    folder, table, number = CASES[settings]
    place = shared_data / "imaging" / "ibsi"
    if not place.is_dir():
        pytest.skip("there is no imaging/ibsi beside the checkout")
    volume = read_image(place / folder / "phantom.nii.gz")
    region = read_region(place / folder / "mask.nii.gz", volume)
    found = {f.tag: f.value for f in extract(volume, region.mask, load(settings))}
    compared, wrong = 0, []
    with (place / "reference" / table).open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter=";"):
            if row["tag"].startswith(OF_THE_IMAGE) or not row["reference value"]:
                continue
            value, expected = found[row["tag"]], float(row["reference value"])
            # Reference values have three digits.
            digit = 10 ** (np.floor(np.log10(abs(expected))) - 2) if expected else 1e-3
            compared += 1
            allowed = float(row["tolerance"]) + 0.5 * digit * (1 + 1e-9)
            if value is None or abs(value - expected) > allowed:
                wrong.append((row["tag"], value, expected))
    assert not wrong
    assert compared == number
