"""Where the definitions agree, the values of pyradiomics' own baselines to 1e-6.

Not compared, as they are defined otherwise there: energy and root mean square (intensities are
shifted by 2000), the lengths of the axes (variance of the whole, not of a sample), and what comes
of the surface mesh (another table of marching cubes).
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from assistant.imaging.source import read_image, read_region
from assistant.tasks.radiomics.extraction import extract
from assistant.tasks.radiomics.settings import Bins, Settings

SETTINGS = Settings(bins=Bins(width=25, start="multiple"), rounded=False)
TABLE = Path(__file__).parent / "pyradiomics_names.tsv"


def names() -> dict[str, dict[str, str]]:
    """Their names of our tags by their classes."""
    found: dict[str, dict[str, str]] = {}
    with TABLE.open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            found.setdefault(row["class"], {})[row["name"]] = row["tag"]
    return found


@pytest.mark.shared
@pytest.mark.parametrize("case", ["brain1", "brain2", "breast1"])
def test_values_are_those_of_the_baseline(shared_data: Path, case: str) -> None:
    place = shared_data / "imaging" / "pyradiomics"
    if not place.is_dir():
        pytest.skip("there is no imaging/pyradiomics beside the checkout")
    volume = read_image(place / f"{case}_image.nrrd")
    region = read_region(place / f"{case}_label.nrrd", volume, "1")
    found = {f.tag: f.value for f in extract(volume, region.mask, SETTINGS)}
    for kind, tags in names().items():
        with (place / f"baseline_{kind}.csv").open(encoding="utf-8") as file:
            rows = {
                row["featureName"].rpartition("_")[2]: row[case] for row in csv.DictReader(file)
            }
        for name, tag in tags.items():
            # Their kurtosis is not in excess of the normal one.
            expected = float(rows[name]) - (3 if name == "Kurtosis" else 0)
            assert found[tag] == pytest.approx(expected, rel=1e-6, abs=1e-12), (tag, name)
