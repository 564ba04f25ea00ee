"""All features of a region: the one way from an image, a mask and settings to values."""

from __future__ import annotations

from collections.abc import Callable

from assistant.imaging.volume import Mask, Volume
from assistant.tasks.radiomics.feature import Feature, described, feature, split_tag
from assistant.tasks.radiomics.features.cooccurrence import cooccurrence
from assistant.tasks.radiomics.features.dependence import dependence
from assistant.tasks.radiomics.features.histogram import histogram
from assistant.tasks.radiomics.features.local_intensity import local_intensity
from assistant.tasks.radiomics.features.morphology import morphology
from assistant.tasks.radiomics.features.run_length import run_length
from assistant.tasks.radiomics.features.statistics import statistics
from assistant.tasks.radiomics.features.tone_difference import tone_difference
from assistant.tasks.radiomics.features.volume_histogram import volume_histogram
from assistant.tasks.radiomics.features.zones import zone_features
from assistant.tasks.radiomics.region import Levels, Prepared, discretised, prepare
from assistant.tasks.radiomics.settings import Family, Settings

Report = Callable[[int, int, str], None]
"""(done, total, what)"""


def extract(
    volume: Volume, mask: Mask, settings: Settings, report: Report | None = None
) -> list[Feature]:
    """The features of ``mask`` (on the grid of ``volume``), in the order of the table.

    Raises `ImageProblem`.
    """
    return named(values(prepare(volume, mask, settings), settings, report), volume.unit)


def values(
    region: Prepared, settings: Settings, report: Report | None = None
) -> dict[str, float]:
    """The values of a prepared region by their tags.  Raises `ImageProblem`."""
    levels = discretised(region, settings.bins)
    found: dict[str, float] = {}
    for done, family in enumerate(settings.families):
        if report:
            report(done, len(settings.families), "特征 features")
        found |= _family(family, region, levels, settings)
    if report:
        report(len(settings.families), len(settings.families), "特征 features")
    return found


def named(found: dict[str, float], unit: str) -> list[Feature]:
    """Values under their names, in the order of the table."""
    order = {tag: place for place, tag in enumerate(described())}
    tags = sorted(found, key=lambda tag: order[split_tag(tag)[0]])
    return [feature(tag, found[tag], unit) for tag in tags]


def _family(
    family: Family, region: Prepared, levels: Levels, settings: Settings
) -> dict[str, float]:
    ways = list(dict.fromkeys(one.rpartition("_")[0] for one in settings.aggregations))
    makers: dict[Family, Callable[[], dict[str, float]]] = {
        "morphology": lambda: morphology(region),
        "local_intensity": lambda: local_intensity(region),
        "statistics": lambda: statistics(region.values),
        "histogram": lambda: histogram(levels),
        "volume_histogram": lambda: volume_histogram(region, settings.volume_histogram_bins),
        "glcm": lambda: cooccurrence(levels, settings.aggregations),
        "glrlm": lambda: run_length(levels, settings.aggregations),
        "glszm": lambda: zone_features(levels, ways, distance=False),
        "gldzm": lambda: zone_features(levels, ways, size=False),
        "ngtdm": lambda: tone_difference(levels, ways),
        "ngldm": lambda: dependence(levels, ways),
    }
    return makers[family]()

