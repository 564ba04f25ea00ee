"""One structure of a segmentation, as it is told: its names, its code and its volumes."""

from __future__ import annotations

from pydantic import BaseModel, Field


class Structure(BaseModel):
    """One structure that was found.  Volumes are in millilitres."""

    label: int = Field(ge=1, le=255, description="Its number in the mask.")
    name: str
    name_zh: str = ""
    code: str = Field(default="", description="SNOMED CT, where there is one.")
    colour: tuple[int, int, int]
    voxels: int
    volume_ml: float
    left_ml: float | None = Field(default=None, description="None: it is not one of two.")
    right_ml: float | None = None
