"""What is said of an image: its structures, their volumes, and where they are."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from assistant.draft import Draft
from assistant.record.evidence import VolumeRegion
from assistant.tasks.segmentation.structure import Structure

RESEARCH_ZH = "科研用途：仅供研究，不得用于诊疗。"


class FoundStructure(Structure):
    """A structure, and a slice to see it on."""

    evidence: VolumeRegion


class ImageSegmentation(Draft):
    """The structures of one image.  Nothing of it can be filled in: it is for research."""

    kind: Literal["segmentation"] = "segmentation"
    notice: str = RESEARCH_ZH
    research_only: Literal[True] = True
    network: str = Field(description="The image model.")
    network_sha256: str = ""
    precision: str = Field(
        default="",
        description="f32, bf16 (bf16:2: all but two layers) or int8; empty where no network ran.",
    )
    structures: list[FoundStructure]
    seconds: float = 0.0

    def plain_text(self) -> str:
        """The volumes as lines."""
        return "\n".join(
            f"{one.name_zh or one.name}：{one.volume_ml:.2f} ml" for one in self.structures
        )
