"""The report: sentences from templates, each with the part of the images that it speaks of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assistant.draft import Statement
from assistant.imaging.volume import Mask
from assistant.record.evidence import SlicePicture, VolumeBox, VolumeRegion
from assistant.tasks.perfusion.picture import Montage, box
from assistant.tasks.perfusion.result import RESEARCH_ZH, PerfusionFindings

if TYPE_CHECKING:
    from assistant.tasks.perfusion.analysis import Analysis

SIDES = {"left": "左侧", "right": "右侧"}
_NAMES = {"CT": "CT 灌注", "MR": "MR 灌注（DSC）"}


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, and the voxels that it is about; ``picture``: the key of what shows them."""

    text: str
    label: str
    mask: Mask
    picture: str


def sentences(found: Analysis, said: PerfusionFindings) -> list[Sentence]:
    """What the report says, in order."""
    core, late = found.lesion.core, found.lesion.hypoperfused
    side = SIDES.get(said.affected_side, "")
    limit = said.settings.tmax_seconds
    listed = [
        Sentence(
            f"{_NAMES[said.modality]}：分析脑组织 {said.brain_ml:.0f} ml，"
            f"{len(found.brain)} 层，{found.study.array.shape[0]} 个时相。",
            "脑组织",
            found.brain,
            "cbf",
        ),
        Sentence(
            f"动脉输入峰值 {said.aif.peak:.0f} {'HU' if found.is_ct else '1/s'}，"
            f"达峰 {said.aif.peak_time:.1f} s；{_vein(said)}。",
            "动脉输入",
            found.artery.mask,
            "lesion",
        ),
    ]
    if not late.any():
        listed.append(
            Sentence(
                f"未见 Tmax > {limit:g} s 的低灌注区"
                f"（大于 {said.settings.least_lesion_ml:g} ml 者）。",
                "脑组织",
                found.brain,
                "tmax",
            )
        )
        return [*listed, *_comparison(found, said)]
    listed.append(
        Sentence(
            f"{side}低灌注区（Tmax > {limit:g} s）{said.penumbra_ml:.1f} ml。",
            "低灌注区",
            late,
            "tmax",
        )
    )
    percent = said.settings.core_ratio * 100
    if core.any():
        ratio = f"，比值 {said.mismatch_ratio:.1f}" if said.mismatch_ratio is not None else ""
        listed.append(
            Sentence(
                f"梗死核心（CBF 低于健侧 {percent:.0f} %）{said.core_ml:.1f} ml；"
                f"不匹配 {said.mismatch_ml:.1f} ml{ratio}。",
                "梗死核心",
                core,
                "lesion",
            )
        )
    else:
        listed.append(
            Sentence(
                f"未见 CBF 低于健侧 {percent:.0f} % 的核心区；不匹配 {said.mismatch_ml:.1f} ml。",
                "低灌注区",
                late,
                "cbf",
            )
        )
    if said.hir is not None:
        severe = said.settings.severe_tmax_seconds
        listed.append(
            Sentence(
                f"低灌注强度比（Tmax > {severe:g} s 与 > {limit:g} s 体积之比）{said.hir:.2f}。",
                "低灌注区",
                late,
                "tmax",
            )
        )
    return [*listed, *_comparison(found, said)]


def _vein(said: PerfusionFindings) -> str:
    if said.vof is None:
        return "未找到静脉输出"
    scaled = f"，动脉输入据此乘以 {said.aif.scale:.2f}" if said.aif.scale > 1.001 else ""
    return f"静脉输出峰值 {said.vof.peak:.0f}{scaled}"


def _comparison(found: Analysis, said: PerfusionFindings) -> list[Sentence]:
    whole = next((one for one in said.regions if one.name == "hemisphere"), None)
    if whole is None or whole.left is None or whole.right is None:
        return []
    left, right = whole.left, whole.right
    text = (
        f"左、右半球中位数：CBF {left.cbf:.1f}、{right.cbf:.1f} ml/100 g/min；"
        f"CBV {left.cbv:.1f}、{right.cbv:.1f} ml/100 g；MTT {left.mtt:.1f}、{right.mtt:.1f} s；"
        f"Tmax {left.tmax:.1f}、{right.tmax:.1f} s。"
    )
    return [Sentence(text, "两侧半球", found.tissue, "cbf")]


def text_of(listed: list[Sentence], said: PerfusionFindings) -> str:
    """The whole report as lines: the notice, the sentences, what is doubtful."""
    doubtful = [f"存疑：{one.zh}" for one in said.quality]
    return "\n".join([RESEARCH_ZH, *(one.text for one in listed), *doubtful])


def stated(
    listed: list[Sentence],
    found: Analysis,
    series: str,
    pictures: dict[str, tuple[str, Montage]],
) -> list[Statement]:
    """The sentences with their evidence.  ``pictures``: by key the attachment and the picture."""
    statements = []
    for number, one in enumerate(listed, start=1):
        shown = pictures.get(one.picture)
        statements.append(
            Statement(
                id=f"perfusion-s{number}",
                text=one.text,
                status="supported",
                evidence=[region(one, found, series, shown)],
                origin="record",
            )
        )
    return statements


def region(
    one: Sentence, found: Analysis, series: str, shown: tuple[str, Montage] | None
) -> VolumeRegion:
    """Where a sentence's voxels are, on the grid of the files."""
    import numpy as np

    places = np.argwhere(one.mask)
    low, high = places.min(axis=0), places.max(axis=0)
    factor = found.study.reduction
    picture = None
    if shown is not None:
        number, x, y, width, height = box(one.mask, shown[1])
        picture = SlicePicture(
            attachment_id=shown[0], slice=number, x=x, y=y, width=width, height=height
        )
    return VolumeRegion(
        quote=one.label,
        series_id=series,
        label=one.label,
        box=VolumeBox(
            unit="voxel",
            low=(float(low[2] * factor), float(low[1] * factor), float(low[0])),
            high=(
                float((high[2] + 1) * factor - 1),
                float((high[1] + 1) * factor - 1),
                float(high[0]),
            ),
        ),
        picture=picture,
    )
