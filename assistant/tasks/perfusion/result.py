"""What an analysis says, as plain data: the same for command, API and page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, Field

from assistant.tasks.perfusion.doubt import Doubt
from assistant.tasks.perfusion.region import Region
from assistant.tasks.perfusion.settings import PerfusionSettings

if TYPE_CHECKING:
    from assistant.tasks.perfusion.analysis import Analysis
    from assistant.tasks.perfusion.vessels import Vessel

RESEARCH_ZH = "科研用途：仅供研究，不得用于诊疗。"
RESEARCH_EN = "For research only, not for care."


class VesselCurve(BaseModel):
    """An arterial input or a venous output.

    ``voxel``: column, row and slice of its best voxel, from 0, on the grid of the files.  ``peak``
    in HU (CT) or 1/s (MR), before ``scale`` was applied.
    """

    voxel: tuple[int, int, int]
    voxels: int
    peak: float
    peak_time: float = Field(description="s")
    width: float = Field(description="At half height, s.")
    area: float
    scale: float = Field(default=1.0, description="What it was multiplied with.")
    curve: list[float]


class PerfusionFindings(BaseModel):
    """Volumes in ml; ``penumbra_ml`` is all that has Tmax > 6 s, the core included.

    ``mismatch_ml``: that less the core; ``mismatch_ratio``: that by the core, None without a core;
    ``hir``: the part of it with Tmax > 10 s, None where nothing is hypoperfused.
    """

    notice: str = RESEARCH_ZH
    modality: str
    core_ml: float
    penumbra_ml: float
    mismatch_ml: float
    mismatch_ratio: float | None
    hir: float | None
    affected_side: str = Field(description="left, right, or empty where nothing is ill.")
    reference_cbf: float = Field(description="Median CBF of the healthy side, ml/100 g/min.")
    brain_ml: float
    times: list[float] = Field(description="Of the curves, s.")
    aif: VesselCurve
    vof: VesselCurve | None
    tissue: list[float] = Field(description="The mean curve of tissue that is not hypoperfused.")
    regions: list[Region]
    quality: list[Doubt]
    motion_mm: float
    settings: PerfusionSettings
    spacing: tuple[float, float, float] = Field(description="Of the analysed voxels: z, y, x, mm.")


def findings(found: Analysis, settings: PerfusionSettings) -> PerfusionFindings:
    """The findings of an analysis."""
    from assistant.tasks.perfusion.doubts import doubts

    voxel = found.study.voxel_ml
    core = float(found.lesion.core.sum()) * voxel
    late = float(found.lesion.hypoperfused.sum()) * voxel
    severe = float(found.lesion.severe.sum()) * voxel
    other = "left" if found.lesion.healthy == "right" else "right"
    return PerfusionFindings(
        modality="CT" if found.is_ct else "MR",
        core_ml=core,
        penumbra_ml=late,
        mismatch_ml=late - core,
        mismatch_ratio=late / core if core else None,
        hir=severe / late if late else None,
        affected_side=other if late else "",
        reference_cbf=found.lesion.reference,
        brain_ml=float(found.tissue.sum()) * voxel,
        times=[round(float(t), 3) for t in found.times],
        aif=_vessel(found, found.artery, found.scale),
        vof=None if found.vein is None else _vessel(found, found.vein, 1.0),
        tissue=[round(float(v), 4) for v in found.tissue_curve],
        regions=found.regions,
        quality=doubts(found),
        motion_mm=0.0 if found.motion is None else found.motion.greatest,
        settings=settings,
        spacing=found.study.grid.spacing,
    )


def _vessel(found: Analysis, vessel: Vessel, scale: float) -> VesselCurve:
    z, y, x = vessel.voxel
    factor = found.study.reduction
    middle = factor // 2
    return VesselCurve(
        voxel=(x * factor + middle, y * factor + middle, z),
        voxels=int(vessel.mask.sum()),
        peak=vessel.peak,
        peak_time=vessel.peak_time,
        width=vessel.width,
        area=vessel.area,
        scale=scale,
        curve=[round(float(v), 4) for v in vessel.curve],
    )
