"""The report on nodules by template: a sentence each, with the region that it is about."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.draft import Statement
from assistant.record.evidence import SlicePicture, VolumeBox, VolumeRegion
from assistant.tasks.detection.category import size_rules
from assistant.tasks.detection.draft import Detection

SIDES = {"left": ("左肺", "left lung"), "right": ("右肺", "right lung")}
ZONES = {"upper": ("上", "upper"), "middle": ("中", "middle"), "lower": ("下", "lower")}
DENSITIES = {
    "solid": ("实性", "solid"),
    "part_solid": ("部分实性", "part-solid"),
    "ground_glass": ("磨玻璃", "ground-glass"),
}

NONE_ZH = "未检出候选结节；经典方法会漏检，不能据此排除结节。"


def label(one: Detection) -> str:
    """What a nodule is called in evidence and on pictures."""
    return f"结节 {one.number}"


def place(one: Detection) -> str:
    """左肺上 1/3: lobes are not told apart, so thirds of the lung's height are."""
    near = "，紧邻肺边缘" if one.at_pleura else ""
    return f"{SIDES[one.side][0]}{ZONES[one.zone][0]} 1/3（第 {one.slice + 1} 层{near}）"


def sentence(one: Detection) -> str:
    """Place, density, size, volume and category of a nodule."""
    solid = f"，实性成分平均径 {one.solid_mm:.1f} mm" if one.density == "part_solid" else ""
    rules = size_rules("lung_rads")
    return (
        f"{label(one)}：{place(one)}{DENSITIES[one.density][0]}结节，"
        f"{one.long_mm:.1f} × {one.short_mm:.1f} mm（平均径 {one.diameter_mm:.1f} mm{solid}），"
        f"体积 {one.volume_mm3:.0f} mm³，平均 {one.mean_hu:.0f} HU；"
        f"仅按大小与密度，{rules.name} {one.lung_rads} 类。"
    )


def follow_up(found: Sequence[Detection]) -> str:
    """What the scheme for incidental nodules says of the one that matters most."""
    rules = size_rules("fleischner")
    one = max(found, key=_weight)
    rule = rules.of(one.density, one.diameter_mm, one.solid_mm)
    several = "；多发结节以最可疑者为准" if len(found) > 1 else ""
    return (
        f"{rules.name}（偶发、单发结节）对{label(one)}：{rule.zh}{several}。来源：{rules.source}。"
    )


def report(
    found: Sequence[Detection], series_id: str, pictures: Sequence[SlicePicture | None]
) -> list[Statement]:
    """The statements.  Where there is no nodule, the one that says so has no evidence to show, and
    is not called supported."""
    if not found:
        return [Statement(id="n0", text=NONE_ZH, status="unsupported")]
    regions = [
        evidence(one, series_id, picture) for one, picture in zip(found, pictures, strict=True)
    ]
    statements = [
        Statement(id=f"n{one.number}", text=sentence(one), status="supported", evidence=[region])
        for one, region in zip(found, regions, strict=True)
    ]
    first = max(range(len(found)), key=lambda n: _weight(found[n]))
    last = Statement(
        id="follow-up", text=follow_up(found), status="supported", evidence=[regions[first]]
    )
    return [*statements, last]


def evidence(one: Detection, series_id: str, picture: SlicePicture | None) -> VolumeRegion:
    """Where a nodule is."""
    low, high = one.box_voxel
    box = VolumeBox(
        unit="voxel",
        low=(float(low[0]), float(low[1]), float(low[2])),
        high=(float(high[0]), float(high[1]), float(high[2])),
    )
    return VolumeRegion(
        quote=label(one), series_id=series_id, label=label(one), box=box, picture=picture
    )


def _weight(one: Detection) -> tuple[str, float]:
    """By category, then by the solid part's and the whole size."""
    return one.lung_rads, one.solid_mm + one.diameter_mm / 100
