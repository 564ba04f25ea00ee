"""What a perfusion analysis is done with; kept with every result."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

TISSUE_DENSITY = 1.04
"""g/ml, brain tissue (Østergaard et al., Magn Reson Med 1996; 36: 715)."""

LARGE_VESSEL_HAEMATOCRIT = 0.45
SMALL_VESSEL_HAEMATOCRIT = 0.25
"""Of arteries and of capillaries (Rempp et al., Radiology 1994; 193: 637): a factor of 0.733."""


class PerfusionSettings(BaseModel):
    """Everything that a map depends on but the images."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: Literal["bayes", "osvd"] = Field(
        default="bayes",
        description="bayes: a model of transit times and delays, averaged over its posterior. "
        "osvd: block-circulant SVD with an oscillation index.",
    )
    haematocrit: bool = Field(
        default=True, description="Multiply by (1 − 0.45) / (1 − 0.25) = 0.733."
    )
    density: float = Field(default=TISSUE_DENSITY, gt=0.5, le=2, description="g/ml of tissue.")
    venous_scaling: bool = Field(
        default=True, description="Scale the arterial input to the area of the venous output."
    )
    motion: bool = Field(default=True, description="Correct motion, where there is any.")
    denoise: bool = Field(default=True, description="Reduce noise before the deconvolution.")
    oscillation: float = Field(
        default=0.035, gt=0, le=1, description="The oscillation index that is allowed."
    )
    core_ratio: float = Field(
        default=0.3, gt=0, lt=1, description="Core: CBF below this part of the healthy side's."
    )
    tmax_seconds: float = Field(default=6.0, gt=0, le=30, description="Hypoperfused: Tmax above.")
    severe_tmax_seconds: float = Field(default=10.0, gt=0, le=60)
    least_lesion_ml: float = Field(
        default=0.5, ge=0, le=50, description="Smaller islands of a lesion are noise."
    )

    @model_validator(mode="after")
    def _in_order(self) -> PerfusionSettings:
        if self.severe_tmax_seconds <= self.tmax_seconds:
            raise ValueError(
                "severe_tmax_seconds 须大于 tmax_seconds。(The severe Tmax must be the greater.)"
            )
        return self

    @property
    def factor(self) -> float:
        """Blood to 100 g of tissue: what a ratio of concentrations is multiplied with."""
        small, large = SMALL_VESSEL_HAEMATOCRIT, LARGE_VESSEL_HAEMATOCRIT
        kappa = (1 - large) / (1 - small) if self.haematocrit else 1.0
        return 100.0 * kappa / self.density
