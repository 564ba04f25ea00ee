"""What is said of an image: how likely each class is, where it was seen, and a sentence."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from assistant.draft import Draft, Statement

RESEARCH_ZH = "科研用途：仅供研究，不得用于诊疗。"


class Likelihood(BaseModel):
    """One class; ``probability`` is calibrated where the model was."""

    name: str
    name_zh: str = ""
    code: str = Field(default="", description="Of SNOMED CT, where the model says one.")
    score: float = Field(description="The logit.")
    probability: float = Field(ge=0, le=1)


class Place(BaseModel):
    """Where a class was seen, in voxels of the image: (slice, row, column), both ends within."""

    low: tuple[int, int, int]
    high: tuple[int, int, int]
    peak: tuple[int, int, int]
    fall: float = Field(description="By how much the score falls where the peak is covered.")


class ImageClass(Draft):
    """The classes of one image, the likeliest first.  Nothing of it can be filled in."""

    kind: Literal["classification"] = "classification"
    notice: str = RESEARCH_ZH
    research_only: Literal[True] = True
    network: str = Field(description="The image model.")
    network_sha256: str = ""
    temperature: float = 1.0
    exclusive: bool = Field(default=True, description="Whether an image is of one class only.")
    classes: list[Likelihood]
    seen: Place | None = Field(default=None, description="Of the first class.")
    heat_map_id: str = Field(default="", description="The attachment of the picture with it.")
    report: list[Statement] = Field(default_factory=list)
    seconds: float = 0.0

    def plain_text(self) -> str:
        """The report as lines."""
        return "\n".join(one.text for one in self.report)
