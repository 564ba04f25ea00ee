"""What is said of a CT's nodules: each with its numbers, and a report that cites them."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from assistant.draft import Draft, Statement

RESEARCH_ZH = "科研用途：仅供研究，不得用于诊疗。"
RESEARCH_EN = "For research only, not for care."

Density = Literal["solid", "part_solid", "ground_glass"]
Side = Literal["left", "right"]
Zone = Literal["upper", "middle", "lower"]


class Detection(BaseModel):
    """One nodule.  Lengths in mm; ``box_mm`` is in the patient's coordinates (x to the left, y to
    the back, z to the head), ``slice`` counts from 0 in the image as stored."""

    number: int = Field(ge=1)
    label: Literal["nodule"] = "nodule"
    score: float = Field(ge=0, le=1, description="Of the classifier; no probability of disease.")
    side: Side
    zone: Zone = Field(description="Third of that lung's height as far as it is in the image.")
    density: Density
    long_mm: float
    short_mm: float
    diameter_mm: float = Field(description="Mean of the long and the short axis.")
    solid_mm: float = Field(description="Mean diameter of the solid part; 0: none.")
    volume_mm3: float
    mean_hu: float
    at_pleura: bool
    centre_mm: tuple[float, float, float]
    box_mm: tuple[tuple[float, float, float], tuple[float, float, float]]
    box_voxel: tuple[tuple[int, int, int], tuple[int, int, int]] = Field(
        description="Low and high corner: column, row, slice."
    )
    slice: int
    lung_rads: str


class Mark(BaseModel):
    """A box that a detector of the hospital's own put on a slice: column, row and slice from 0 in
    the image as stored."""

    number: int = Field(ge=1)
    label: str
    label_zh: str = ""
    code: str = Field(default="", description="Of SNOMED CT, where the model says one.")
    score: float = Field(ge=0, le=1, description="Of the detector; no probability of disease.")
    slice: int = Field(ge=0)
    x: int = Field(ge=0)
    y: int = Field(ge=0)
    width: int = Field(gt=0)
    height: int = Field(gt=0)
    width_mm: float
    height_mm: float


class Detections(Draft):
    """The nodules of one series, or the marks of a model.  Nothing of it can be filled in: it is
    for research."""

    kind: Literal["detection"] = "detection"
    notice: str = RESEARCH_ZH
    research_only: Literal[True] = True
    method: str = ""
    network: str = Field(default="", description="The image model; empty for the built-in way.")
    network_sha256: str = ""
    detections: list[Detection] = Field(default_factory=list)
    marks: list[Mark] = Field(default_factory=list, description="Where a model was named.")
    report: list[Statement] = Field(default_factory=list)
    seconds: float = 0.0

    def plain_text(self) -> str:
        """The report as lines."""
        return "\n".join(one.text for one in self.report)
