"""The report on what a detector marked: a sentence each, with the box that it is about."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.draft import Statement
from assistant.record.evidence import Evidence, PageBox, SlicePicture, VolumeBox, VolumeRegion
from assistant.tasks.detection.draft import Mark


def called(one: Mark) -> str:
    """What a mark is called in evidence and on pictures."""
    return f"{one.label_zh or one.label} {one.number}"


def sentence(one: Mark) -> str:
    """Class, place, size and score."""
    return (
        f"{called(one)}：第 {one.slice + 1} 层，行 {one.y}–{one.y + one.height - 1}、"
        f"列 {one.x}–{one.x + one.width - 1}，{one.width_mm:g} × {one.height_mm:g} mm，"
        f"得分 {one.score:.2f}。"
    )


def marks_report(
    marks: Sequence[Mark], network: str, evidence: Sequence[Evidence | None]
) -> list[Statement]:
    """The statements.  The one that says that nothing was found has no evidence to show, and is
    not called supported."""
    if not marks:
        text = f"模型 {network} 未检出目标；模型会漏检，不能据此排除。"
        return [Statement(id="m0", text=text, status="unsupported")]
    return [
        Statement(
            id=f"m{one.number}",
            text=sentence(one),
            status="supported" if region is not None else "unsupported",
            evidence=[] if region is None else [region],
        )
        for one, region in zip(marks, evidence, strict=True)
    ]


def region_of(one: Mark, series_id: str, picture: SlicePicture | None) -> VolumeRegion:
    """Where a mark is in a series."""
    low = float(one.x), float(one.y), float(one.slice)
    high = float(one.x + one.width - 1), float(one.y + one.height - 1), float(one.slice)
    return VolumeRegion(
        quote=called(one),
        series_id=series_id,
        label=called(one),
        box=VolumeBox(unit="voxel", low=low, high=high),
        picture=picture,
    )


def box_of(one: Mark, attachment_id: str) -> PageBox:
    """Where a mark is on a picture."""
    return PageBox(
        quote=called(one),
        attachment_id=attachment_id,
        x=one.x,
        y=one.y,
        width=one.width,
        height=one.height,
    )
