"""A part of the brain and its medians, as plain data."""

from __future__ import annotations

from pydantic import BaseModel, Field

MEASURED = ("cbf", "cbv", "mtt", "tmax")


class Values(BaseModel):
    """Medians: CBF ml/100 g/min, CBV ml/100 g, MTT and Tmax s."""

    cbf: float
    cbv: float
    mtt: float
    tmax: float


class Region(BaseModel):
    """A part of the brain.  Of a lesion the other side is its mirror image."""

    name: str
    name_zh: str
    volume_ml: float
    cbf: float
    cbv: float
    mtt: float
    tmax: float
    left: Values | None = None
    right: Values | None = None
    ratio: dict[str, float] = Field(
        default_factory=dict, description="Left divided by right, where both are there."
    )
