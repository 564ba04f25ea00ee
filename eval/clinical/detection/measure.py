"""What the detector finds of nodules whose truth is known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from assistant.tasks.detection.measurement import measured
from assistant.tasks.detection.nodules import scored
from assistant.tasks.detection.scoring import scoring_settings
from assistant.tasks.detection.second import SecondLook
from eval.clinical.detection.cases import Case, hits, reach
from eval.clinical.detection.froc import Point, ScanMarks, point
from eval.clinical.detection.nodule import Nodule
from eval.clinical.proportion import wilson
from eval.clinical.result import ClinicalResult, Figure, Table

RATES = (0.5, 1.0, 2.0, 4.0, 8.0)
SCORES = ("sensitivity_1fp", "sensitivity_4fp", "candidates")


@dataclass(frozen=True, slots=True)
class Found:
    """A nodule, its best score (−1: no candidate) and what was measured of it."""

    nodule: Nodule
    score: float
    diameter: float | None
    density: str


@dataclass(frozen=True, slots=True)
class Judged:
    """One scan."""

    marks: ScanMarks
    found: list[Found]


def judge(case: Case, second: SecondLook | None = None) -> Judged:
    """Marks near a nodule are its own; those of the excluded region count for nothing.

    ``second``: see `assistant.tasks.detection.nodules.scored`.
    """
    all_ = scored(case.volume, lambda done, total, what: None, second)
    index = all_.index
    near = hits(case, index, reach)
    beside = hits(case, index, lambda one: one.diameter / 2 + 5)
    false = np.ones(len(index), bool)
    false[[n for part in beside for n in part]] = False
    if case.excluded is not None and len(index):
        places = np.clip(np.round(index).astype(int), 0, np.array(case.excluded.shape) - 1)
        false &= ~case.excluded[tuple(places.T)]
    found = []
    for nodule, mine in zip(case.nodules, near, strict=True):
        if not mine:
            found.append(Found(nodule, -1.0, None, ""))
            continue
        best = min(mine)  # the likeliest stand first
        size = measured(all_.found[best], all_.scan, all_.background)
        diameter, density = (size.mean_mm, size.density) if size else (None, "")
        found.append(Found(nodule, float(all_.scores[best]), diameter, density))
    scores = np.array([one.score for one in found])
    return Judged(ScanMarks(case.name, scores, all_.scores[false]), found)


def judge_all(
    cases: Iterable[Case],
    judged: Callable[[], None] = lambda: None,
    second: SecondLook | None = None,
) -> list[Judged]:
    """``judged`` is called after each."""
    all_ = []
    for case in cases:
        all_.append(judge(case, second))
        judged()
    return all_


def summarize(
    simulated: Sequence[Judged], real: Sequence[Judged], *, seed: int, command: str = ""
) -> ClinicalResult:
    """The result, as it is written and shown; ``real`` may be empty."""
    figures: list[Figure] = []
    tables: list[Table] = []
    scores: dict[str, float] = {}
    for judged, name, prefix in (
        (simulated, "模拟胸部 simulated chests", ""),
        (real, "真实 CT 植入 put into a real CT", "real."),
    ):
        if not judged:
            continue
        marks = [one.marks for one in judged]
        points = [point(marks, rate) for rate in RATES]
        count = sum(len(one.nodules) for one in marks)
        figures += [_figure(one, count, name) for one in points]
        found = [one for scan in judged for one in scan.found]
        scores[f"{prefix}sensitivity_1fp"] = 100 * points[1].sensitivity
        scores[f"{prefix}sensitivity_4fp"] = 100 * points[3].sensitivity
        scores[f"{prefix}candidates"] = 100 * float(np.mean([one.score >= 0 for one in found]))
        tables += [_by_group(found, points[3].threshold, name), _sizes(found, name)]
        tables.append(_at_shipped(judged, name))
    headline = next(one for one in figures if "1 " in one.name)
    return ClinicalResult(
        kind="detection",
        title="肺结节检出 Lung nodule detection",
        headline=headline,
        scores=scores,
        figures=figures,
        tables=tables,
        notes=[
            "结节由程序生成，不是病人的结节；真实 CT 上的误报都来自同一次扫描，彼此不独立。 "
            "The nodules are generated, none is a patient's; the false marks on the real CT are "
            "all of one scan and not independent.",
            "距结节中心不超过半径（至少 4 mm）的标记算命中。 "
            "A mark hits within the nodule's radius, 4 mm at least.",
            f"seed {seed}; {scoring_settings().version}",
        ],
        command=command,
    )


def _figure(one: Point, count: int, group: str) -> Figure:
    return Figure(
        name=f"每次扫描 {one.rate:g} 个误报 false marks a scan",
        value=round(100 * one.sensitivity, 2),
        low=round(100 * one.low, 2),
        high=round(100 * one.high, 2),
        n=count,
        group=group,
    )


def _by_group(found: Sequence[Found], threshold: float, name: str) -> Table:
    groups: dict[str, list[bool]] = defaultdict(list)
    for one in found:
        size = next(b for b in (6, 8, 12, 99) if one.nodule.diameter < b)
        for key in (one.nodule.kind, f"at: {one.nodule.place}", f"< {size} mm"):
            groups[key].append(one.score >= threshold)
    rows = []
    for key in sorted(groups):
        hit, count = sum(groups[key]), len(groups[key])
        low, high = wilson(hit, count)
        rows.append(
            [key, f"{100 * hit / count:.1f}", f"{100 * low:.0f}–{100 * high:.0f}", f"{count}"]
        )
    columns = ["组 group", "检出率 sensitivity %", "95 %", "n"]
    return Table(
        title=f"{name}：4 误报/扫描时按组 by group at 4 false marks", columns=columns, rows=rows
    )


def _sizes(found: Sequence[Found], name: str) -> Table:
    errors = np.array([one.diameter - one.nodule.diameter for one in found if one.diameter])
    kinds = [(one.nodule.kind, one.density) for one in found if one.density]
    rows = [["平均径误差中位数 median error mm", f"{np.median(errors):.2f}"]] if len(errors) else []
    if len(errors):
        rows.append(["绝对误差中位数 median absolute error mm", f"{np.median(np.abs(errors)):.2f}"])
        within = float(np.mean(np.abs(errors) <= 1.5))
        rows.append(["误差 ≤ 1.5 mm within %", f"{100 * within:.1f}"])
    for kind in ("solid", "part_solid", "ground_glass"):
        mine = [told for true, told in kinds if true == kind]
        if mine:
            share = 100 * float(np.mean([told == kind for told in mine]))
            rows.append([f"密度正确 density right: {kind} %", f"{share:.1f} (n={len(mine)})"])
    return Table(title=f"{name}：大小与密度 size and density", columns=["", ""], rows=rows)


def _at_shipped(judged: Sequence[Judged], name: str) -> Table:
    least = scoring_settings().threshold
    found = [one.score >= least for scan in judged for one in scan.found]
    false = [float((scan.marks.false >= least).sum()) for scan in judged]
    rows = [
        ["检出率 sensitivity %", f"{100 * float(np.mean(found)):.1f}" if found else "–"],
        ["每次扫描误报 false marks a scan", f"{np.mean(false):.2f}"],
    ]
    return Table(
        title=f"{name}：随附阈值 at the shipped threshold {least:g}", columns=["", ""], rows=rows
    )
