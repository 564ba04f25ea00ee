"""What is said of a region: its features, what they were computed with, and where it is."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from assistant.draft import Draft
from assistant.record.evidence import VolumeRegion
from assistant.tasks.radiomics.feature import Feature
from assistant.tasks.radiomics.settings import Settings

RESEARCH_ZH = "科研用途：仅供研究，不得用于诊疗。"
RESEARCH_EN = "For research only, not for care."


class MeasuredFeature(Feature):
    """A value, and how well it is reproduced where that was asked for."""

    icc: float | None = Field(
        default=None, description="Intraclass correlation over perturbations; None: not computed."
    )


class RegionSize(BaseModel):
    """How large the region is on the grid of the images."""

    name: str
    voxels: int
    millilitres: float


class RadiomicsSummary(Draft):
    """What is said where the features themselves stand beside it."""

    kind: Literal["radiomics"] = "radiomics"
    notice: str = RESEARCH_ZH
    research_only: Literal[True] = True
    settings: Settings
    intensity_unit: str = Field(default="", description="HU, SUV, or empty.")
    region: RegionSize
    evidence: VolumeRegion = Field(description="Of every value: the region and its picture.")
    seconds: float = 0.0


class RadiomicsFeatures(RadiomicsSummary):
    """All features of one region.  Nothing of it can be filled in: it is for research."""

    features: list[MeasuredFeature]

    def plain_text(self) -> str:
        """The values as lines."""
        return "\n".join(f"{one.name_zh}（{one.tag}）：{one.value}" for one in self.features)
