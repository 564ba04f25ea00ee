"""A perfusion study from DICOM: slices at times, in one series or many, in jog mode too."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from assistant.imaging import dicom
from assistant.imaging.problem import ImageProblem
from assistant.imaging.volume import Grid, checked
from assistant.tasks.perfusion.study import (
    Floats,
    Study,
    check_axial,
    check_size,
    check_values,
    checked_times,
    reduced,
    reduced_grid,
    reduction_of,
)

if TYPE_CHECKING:
    from pydicom import Dataset

_NO_IMAGE = {dicom.RTSTRUCT, dicom.SEGMENTATION}
_SAME_PLACE = 0.05  # mm
_UNEVEN = 0.05
_DAY = 86_400.0
_TAGS = ("Rows", "Columns", "PixelSpacing", "Modality")


@dataclass(frozen=True, slots=True)
class _Frame:
    """One slice at one time: its reduced pixels, and what tells where and when it was."""

    plane: NDArray[np.float32]
    position: Floats
    clocks: dict[str, float]
    series: str
    instance: str


def read(datasets: Iterable[Dataset], step: float | None = None, modality: str = "") -> Study:
    """The study of the instances.  ``step``: seconds between times, where tags do not say.

    Raises `ImageProblem`.
    """
    frames: list[_Frame] = []
    first: Dataset | None = None
    known: tuple[str, ...] = ()
    factor, size = 1, 0.0
    for one in datasets:
        if dicom.sop_class(one) in _NO_IMAGE or "PixelData" not in one:
            continue
        tags = tuple(dicom.text(one, tag) for tag in _TAGS)
        if first is None:
            first, known = one, tags
            factor = reduction_of(int(one.Rows), int(one.Columns))
        _check_alike(one, first, tags == known)
        frame = _frame(one, factor)
        size += frame.plane.size
        check_size(size)
        frames.append(frame)
    if first is None:
        raise ImageProblem(
            "没有找到 DICOM 图像，请提供灌注序列的文件夹或压缩包。",
            "There are no DICOM images; give the folder or zip of the perfusion series.",
        )
    return _study(frames, first, factor, step, modality)


def _check_alike(one: Dataset, first: Dataset, same: bool) -> None:
    if int(one.get("NumberOfFrames") or 1) > 1:
        raise ImageProblem(
            "暂不支持多帧（增强型）DICOM，请导出为单帧序列。",
            "Multi-frame DICOM is not taken; export the series as single frames.",
        )
    orientation = dicom.numbers(one, "ImageOrientationPatient", 6)
    if (
        not same
        or np.abs(orientation - dicom.numbers(first, "ImageOrientationPatient", 6)).max() > 1e-3
    ):
        raise ImageProblem(
            "各层的矩阵、像素间距、设备类型或方向不一致，请只提供灌注序列，剔除定位像和重建图。",
            "Images differ in matrix, pixel spacing, modality or orientation; give the perfusion "
            "series only, without scouts and maps.",
        )


def _frame(one: Dataset, factor: int) -> _Frame:
    plane = dicom.pixels(one)
    if plane.ndim != 2:
        raise ImageProblem(
            "图像不是单通道灰度，请导出原始灰度图像。", "Not grey; export the original images."
        )
    slope = float(one.get("RescaleSlope") or 1)
    intercept = float(one.get("RescaleIntercept") or 0)
    return _Frame(
        reduced(plane, factor) * np.float32(slope) + np.float32(intercept),
        dicom.numbers(one, "ImagePositionPatient", 3),
        _clocks(one),
        dicom.text(one, "SeriesInstanceUID"),
        dicom.text(one, "SOPInstanceUID"),
    )


def _clocks(one: Dataset) -> dict[str, float]:
    """Every way in which an instance tells its time, in seconds, the surest first."""
    found = {
        "AcquisitionDateTime": _moment(dicom.text(one, "AcquisitionDateTime")),
        "AcquisitionTime": _clock(dicom.text(one, "AcquisitionTime")),
        "TriggerTime": _number(one, "TriggerTime", 1e-3),
        "FrameReferenceTime": _number(one, "FrameReferenceTime", 1e-3),
        "ContentTime": _clock(dicom.text(one, "ContentTime")),
        "TemporalPositionIdentifier": _number(one, "TemporalPositionIdentifier", 1.0),
        "AcquisitionNumber": _number(one, "AcquisitionNumber", 1.0),
        "InstanceNumber": _number(one, "InstanceNumber", 1.0),
    }
    resolution = _number(one, "TemporalResolution", 1e-3)
    if found["TemporalPositionIdentifier"] is not None and resolution:
        found["TemporalPosition"] = found["TemporalPositionIdentifier"] * resolution
    return {name: value for name, value in found.items() if value is not None}


def _clock(text: str) -> float | None:
    match = re.fullmatch(r"(\d\d):?(\d\d):?(\d\d(?:\.\d+)?)", text)
    if match is None:
        return None
    return int(match[1]) * 3600 + int(match[2]) * 60 + float(match[3])


def _moment(text: str) -> float | None:
    """Seconds from the start of the month; a study at its turn falls back to other tags."""
    match = re.match(r"\d{6}(\d\d)(\d{6}(?:\.\d+)?)", text)
    seconds = _clock(match[2]) if match is not None else None
    return None if match is None or seconds is None else int(match[1]) * _DAY + seconds


def _number(one: Dataset, tag: str, factor: float) -> float | None:
    try:
        value = float(dicom.text(one, tag)) * factor
    except ValueError:
        return None
    return value if np.isfinite(value) else None


def _study(
    frames: Sequence[_Frame], first: Dataset, factor: int, step: float | None, modality: str
) -> Study:
    orientation = dicom.numbers(first, "ImageOrientationPatient", 6)
    normal = np.cross(orientation[:3], orientation[3:])
    groups = _slices(frames, normal)
    grid, tilted = _grid(groups, first, orientation)
    clock = _chosen_clock(groups, step)
    ordered, times = _in_time(groups, clock, step)
    small = reduced_grid(grid, factor)
    count = len(ordered[0])
    array = np.empty((count, *small.shape), np.float32)
    for number, group in enumerate(ordered):
        for at, frame in enumerate(group):
            array[at, number] = frame.plane
    checked(array[0], grid)
    check_axial(grid)
    check_values(array)
    echo = _number(first, "EchoTime", 1e-3) or 0.0
    kind = (modality or dicom.text(first, "Modality")).upper()
    uids = tuple(sorted({one.series for one in frames if one.series}))
    return Study(
        array,
        times,
        small,
        grid,
        factor,
        kind,
        echo,
        uids,
        tuple(group[0].instance for group in ordered),
        ("tilt",) if tilted else (),
    )


def _slices(frames: Sequence[_Frame], normal: Floats) -> list[list[_Frame]]:
    """The frames by slice, from one end to the other."""
    heights = np.array([one.position @ normal for one in frames])
    order = np.argsort(heights, kind="stable")
    groups: list[list[_Frame]] = []
    last = -np.inf
    for index in order:
        if heights[index] - last > _SAME_PLACE:
            groups.append([])
            last = heights[index]
        groups[-1].append(frames[index])
    return groups


def _grid(
    groups: Sequence[Sequence[_Frame]], first: Dataset, orientation: Floats
) -> tuple[Grid, bool]:
    along_row, along_column = orientation[:3], orientation[3:]
    normal = np.cross(along_row, along_column)
    places = np.array([group[0].position for group in groups])
    down, across = (float(v) for v in dicom.numbers(first, "PixelSpacing", 2))
    if len(places) == 1:
        between = float(dicom.numbers(first, "SliceThickness", 1)[0])
        tilted = False
    else:
        steps = np.diff(places, axis=0)
        heights = steps @ normal
        between = float(np.median(heights))
        if (np.abs(heights - between) > _UNEVEN * between).any():
            raise ImageProblem(
                "层间距不均匀，可能缺层，请补全序列后重试。",
                "The slices are not evenly spaced; complete the series.",
            )
        sideways = np.linalg.norm(steps - heights[:, None] * normal, axis=1)
        tilted = bool((sideways > 0.02 * heights).any())
    shape = (len(groups), int(first.Rows), int(first.Columns))
    axes = np.stack([normal, along_column, along_row], axis=1)
    return Grid(shape, (between, down, across), places[0], axes), tilted


def _chosen_clock(groups: Sequence[Sequence[_Frame]], step: float | None) -> str:
    """The first tag that every frame has and that differs between the times of each slice."""
    everywhere = set.intersection(*(set(f.clocks) for group in groups for f in group))
    counters = ("TemporalPositionIdentifier", "AcquisitionNumber", "InstanceNumber")
    clocks = (
        "AcquisitionDateTime",
        "AcquisitionTime",
        "TriggerTime",
        "FrameReferenceTime",
        "TemporalPosition",
        "ContentTime",
    )
    names = counters if step is not None else clocks
    for name in names:
        if name not in everywhere:
            continue
        values = [[f.clocks[name] for f in group] for group in groups]
        if all(len(set(group)) == len(group) for group in values):
            return name
    if step is None and len(groups[0]) > 1:
        raise ImageProblem(
            "DICOM 里没有可用的采集时间，请用 --tr 给出时相间隔（秒）。",
            "The files tell no times; give the seconds between volumes with --tr.",
        )
    return names[0]


def _in_time(
    groups: Sequence[Sequence[_Frame]], clock: str, step: float | None
) -> tuple[list[list[_Frame]], Floats]:
    """Each slice's frames in order, and the times (slices, times) in seconds."""
    counts = sorted({len(group) for group in groups})
    if step is None and clock in ("AcquisitionTime", "ContentTime"):
        flat = _over_midnight([one for group in groups for one in group], clock)
        it = iter(flat)
        groups = [[next(it) for _ in group] for group in groups]
    ordered = [sorted(group, key=lambda one: one.clocks.get(clock, 0.0)) for group in groups]
    if counts[-1] < 2:
        raise ImageProblem(
            "只有一个时相，灌注分析需要多个时间点的图像。",
            "There is one time only; perfusion needs images at many times.",
        )
    if len(counts) > 1:
        ordered = _shuttled(ordered, counts, clock)
    if step is not None:
        times = np.tile(np.arange(len(ordered[0])) * step, (len(groups), 1))
    else:
        times = np.array([[one.clocks[clock] for one in group] for group in ordered])
    return ordered, checked_times(times, len(groups))


def _shuttled(ordered: list[list[_Frame]], counts: Sequence[int], clock: str) -> list[list[_Frame]]:
    """Jog mode may end between its two positions: then the others lose their last time."""
    starts = [group[0].clocks.get(clock, 0.0) for group in ordered]
    jog = counts[-1] - counts[0] == 1 and max(starts) - min(starts) > 0.2
    if not jog:
        raise ImageProblem(
            f"各层的时相数不一致（{counts[0]} 到 {counts[-1]}），可能缺图，请补全序列。",
            f"Slices have {counts[0]} to {counts[-1]} times; images are missing, complete them.",
        )
    return [group[: counts[0]] for group in ordered]


def _over_midnight(frames: Sequence[_Frame], clock: str) -> list[_Frame]:
    """The frames with the times of a clock that passed midnight made to go on."""
    latest = max(one.clocks[clock] for one in frames)
    if latest - min(one.clocks[clock] for one in frames) <= _DAY / 2:
        return list(frames)
    moved = []
    for one in frames:
        value = one.clocks[clock]
        late = value if value > latest - _DAY / 2 else value + _DAY
        moved.append(replace(one, clocks=one.clocks | {clock: late}))
    return moved
