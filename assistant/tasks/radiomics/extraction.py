"""All features of a region: the one way from an image, a mask and settings to values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from assistant.imaging.volume import Mask, Volume
from assistant.tasks.radiomics.feature import Feature, described, feature, joined, split_tag
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
from assistant.tasks.radiomics.settings import Bins, Family, Settings

_RESPONSE_STEPS = Bins(number=1000)
"""Of the intensity-volume histogram of a response, whose unit is arbitrary (IBSI-1, 3.5)."""

Report = Callable[[int, int, str], None]
"""(done, total, what)"""


def extract(
    volume: Volume, mask: Mask, settings: Settings, report: Report | None = None
) -> list[Feature]:
    """The features of ``mask`` (on the grid of ``volume``), in the order of the table.

    Raises `ImageProblem`.
    """
    found = values(prepare(volume, mask, settings), settings, report)
    return named(found, volume.unit, {one.label: one.code for one in settings.filters})


def values(region: Prepared, settings: Settings, report: Report | None = None) -> dict[str, float]:
    """The values of a prepared region by their tags.  Raises `ImageProblem`."""
    from assistant.tasks.radiomics.filters.response import response

    total = len(settings.families) + len(settings.filters)
    found: dict[str, float] = {}
    if settings.families:
        levels = discretised(region, settings.bins)
        for done, family in enumerate(settings.families):
            if report:
                report(done, total, "特征 features")
            found |= _family(family, region, levels, settings)
    of_responses = settings.model_copy(
        update={"bins": settings.filter_bins, "volume_histogram_bins": _RESPONSE_STEPS}
    )
    for done, one in enumerate(settings.filters, len(settings.families)):
        if report:
            report(done, total, f"滤波 filter {one.label}")
        made = response(region, one)
        levels = discretised(made, settings.filter_bins)
        for family in settings.filter_families:
            of_family = _family(family, made, levels, of_responses)
            found |= {joined(one.label, tag): value for tag, value in of_family.items()}
    if report:
        report(total, total, "特征 features")
    return found


def named(
    found: dict[str, float], unit: str, filters: Mapping[str, str] = MappingProxyType({})
) -> list[Feature]:
    """Values under their names, in the order of the table; those of the image come first.

    ``filters``: the labels of filters, in their order, with their codes.
    """
    order = {tag: place for place, tag in enumerate(described())}
    turn = {label: place for place, label in enumerate(filters)}

    def place(tag: str) -> tuple[int, int]:
        label, plain, _ = split_tag(tag)
        return turn.get(label, -1), order[plain]

    tags = sorted(found, key=place)
    return [feature(tag, found[tag], unit, filters) for tag in tags]


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
