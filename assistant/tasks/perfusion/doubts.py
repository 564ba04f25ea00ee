"""What is doubtful about a study and its maps, as sentences for the report."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from assistant.tasks.perfusion.analysis import Analysis
from assistant.tasks.perfusion.doubt import Doubt

LONGEST_STEP = 3.0
SHORTEST_SCAN = 40.0
_TAIL = 0.35
_MOVED_MM = 3.0
_LEAST_PEAK_HU = 80.0
_WIDE = 14.0
_MOST_SCALE = 2.5
_ONE_SIDE = 0.6
_LIKENESS = 0.6


def doubts(found: Analysis) -> list[Doubt]:
    """All that is doubtful, worst first."""
    return [
        Doubt(key=key, zh=zh, en=en)
        for part in (_curves, _vessels, _study, _head)
        for key, zh, en in part(found)
    ]


def _curves(found: Analysis) -> Iterator[tuple[str, str, str]]:
    vessel = found.vein or found.artery
    if vessel.curve[-3:].mean() > _TAIL * vessel.peak:
        yield (
            "truncated",
            "采集结束时血管内造影剂仍未洗出，曲线被截断，CBV、MTT 可能偏低或失真。",
            "Contrast had not left when the scan ended: CBV and MTT are less sure.",
        )
    tissue = found.lesion_curve if found.lesion_curve is not None else found.tissue_curve
    if tissue.argmax() >= len(tissue) - 3:
        yield (
            "late_tissue",
            "低灌注区到采集结束时尚未达峰，其 CBV 可能被低估。",
            "The ill tissue had not peaked when the scan ended; its CBV may be too low.",
        )


def _vessels(found: Analysis) -> Iterator[tuple[str, str, str]]:
    artery = found.artery
    if found.is_ct and artery.peak * found.scale < _LEAST_PEAK_HU:
        yield (
            "weak_artery",
            f"动脉输入峰值仅 {artery.peak * found.scale:.0f} HU，团注不佳或选点不当。",
            "The arterial input is weak: a poor bolus or a poor place.",
        )
    if artery.width > _WIDE:
        yield (
            "wide_artery",
            f"动脉输入半高宽 {artery.width:.0f} s，团注过宽。",
            "The arterial input is wide.",
        )
    if found.vein is None:
        yield (
            "no_vein",
            "没有找到静脉输出，动脉输入未作部分容积校正，CBF、CBV 可能偏高。",
            "No venous output was found: no partial volume correction, CBF and CBV may be high.",
        )
    elif found.scale > _MOST_SCALE:
        yield (
            "small_artery",
            f"动脉输入按静脉输出放大了 {found.scale:.1f} 倍，所选动脉过小。",
            "The chosen artery is small: it was scaled up much by the venous output.",
        )
    if artery.mask.sum() < 3:
        yield "few_voxels", "动脉输入只有 1–2 个体素，噪声较大。", "The artery has 1 or 2 voxels."


def _study(found: Analysis) -> Iterator[tuple[str, str, str]]:
    times = found.study.times
    moved = found.motion
    if moved is not None and moved.greatest > _MOVED_MM:
        yield (
            "motion",
            f"头部移动达 {moved.greatest:.1f} mm（已校正 {int(moved.corrected.sum())} 个时相），"
            "请核对图像。",
            "The head moved; frames were put back, look at the images.",
        )
    step = float(np.median(np.diff(times, axis=1)))
    if step > LONGEST_STEP:
        yield "coarse", f"时间分辨率 {step:.1f} s，过低。", "The times are far apart."
    if np.ptp(times[0]) < SHORTEST_SCAN:
        yield (
            "short",
            f"采集仅 {np.ptp(times[0]):.0f} s，延迟到达的组织可能未采全。",
            "The scan is short; late tissue may be missed.",
        )
    if found.bolus.start - times[:, 0].mean() < 2 * step:
        yield "baseline", "造影剂到达前的基线不足两个时相。", "The baseline is short."
    if found.study.is_shuttle:
        yield (
            "shuttle",
            "各层采集时间不同（摆动模式），曲线已插值到同一时间轴。",
            "Slices were taken at different times; curves were interpolated.",
        )
    if "tilt" in found.study.notes:
        yield "tilt", "机架倾斜采集，层面未作校正。", "The gantry was tilted."
    if "guessed_modality" in found.study.notes:
        kind = found.study.modality
        yield (
            "modality",
            f"文件未注明设备类型，按 {kind} 处理；不符请用 --modality 指定。",
            f"The file does not say what it is; taken as {kind}, see --modality.",
        )


def _head(found: Analysis) -> Iterator[tuple[str, str, str]]:
    if found.whole:
        yield (
            "no_anatomy",
            "未能识别脑组织（颅骨或 CT 值不符），对所有体素作图。",
            "No brain was recognised; maps are of all voxels.",
        )
    left = found.line.left(found.tissue.shape)
    sides = sorted([(found.tissue & left).sum(), (found.tissue & ~left).sum()])
    if sides[0] < _ONE_SIDE * sides[1]:
        yield (
            "one_side",
            "两侧脑组织体积相差很大，一侧可能未采全，左右比较不可靠。",
            "One side is much smaller than the other: left against right is not sure.",
        )
    elif found.line.likeness < _LIKENESS:
        yield "midline", "未能可靠确定正中矢状面。", "The midsagittal plane is not sure."
