"""Settings of monitoring and of candidates in the shadow."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

FigureName = Literal[
    "unsupported_share",
    "omission_share",
    "edit_share",
    "deleted_share",
    "rejected",
    "disliked",
    "reported",
    "review_score",
]
FIGURES: tuple[FigureName, ...] = get_args(FigureName)
"""What is counted of each draft; `review_score` is 1 to 5 and better when higher, all others are
shares and better when lower."""


class Floor(BaseModel):
    """A limit whose break returns an approval."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    figure: FigureName = Field(description="What is limited, see monitoring.md.")
    task: str = Field(default="", description="The kind of draft it is for; empty: each one.")
    at_most: float | None = Field(default=None, ge=0, description="The mean may not be higher.")
    at_least: float | None = Field(default=None, ge=0, description="The mean may not be lower.")
    drafts: int = Field(
        default=30,
        ge=5,
        le=5_000,
        description="Over how many of the last drafts that have the figure; fewer: not judged.",
    )

    @model_validator(mode="after")
    def _one_limit(self) -> Floor:
        if (self.at_most is None) == (self.at_least is None):
            raise ValueError(f"floor {self.figure}: give either at_most or at_least")
        return self

    def holds(self, mean: float) -> bool:
        """Whether a mean is within the limit."""
        if self.at_most is not None:
            return mean <= self.at_most
        return self.at_least is None or mean >= self.at_least

    def __str__(self) -> str:
        sign, limit = ("<=", self.at_most) if self.at_most is not None else (">=", self.at_least)
        return f"{self.figure}{sign}{limit:g}"


def _floors() -> list[Floor]:
    """Far from what a usable model does; a hospital sets its own from its first weeks."""
    return [
        Floor(figure="unsupported_share", at_most=0.5),
        Floor(figure="rejected", at_most=0.6),
        Floor(figure="reported", at_most=0.2),
    ]


class MonitoringSettings(BaseModel):
    """How models that are approved are watched."""

    model_config = ConfigDict(extra="forbid")

    enabled: bool = Field(
        default=True, description="False: floors are shown, and no approval is returned."
    )
    check_minutes: float = Field(
        default=60.0, gt=0, le=10_080, description="How often the floors are looked at."
    )
    floors: list[Floor] = Field(
        default_factory=_floors,
        max_length=64,
        description="Limits; when one breaks, the approval returns to 仅供演示.",
    )
    sample: int = Field(
        default=5, ge=0, le=100, description="Drafts a week, task and model for review by people."
    )
    reference_weeks: int = Field(
        default=4, ge=1, le=26, description="A week's drift is told against so many before it."
    )


class ShadowCandidate(BaseModel):
    """A model that answers beside the one in use."""

    model_config = ConfigDict(extra="forbid")

    task: str = Field(min_length=1, description="The kind of request, as `discharge_record`.")
    engine: str = Field(min_length=1, description="A key of `engines`.")
    prompt: str = Field(
        default="", description="For the panel: its version of the template; empty: as in use."
    )
    share: float = Field(
        default=0.1, gt=0, le=1, description="The share of finished requests that it answers too."
    )


class ShadowSettings(BaseModel):
    """Candidates in the shadow: unseen by doctors, kept apart from drafts."""

    model_config = ConfigDict(extra="forbid")

    candidates: list[ShadowCandidate] = Field(
        default_factory=list, max_length=16, description="Which candidates answer beside."
    )
    most_waiting: int = Field(
        default=200, ge=1, le=10_000, description="Requests that may wait for a candidate."
    )
    keep_waiting_hours: float = Field(
        default=72.0, gt=0, description="What has waited longer is not answered any more."
    )
    review_share: float = Field(
        default=0.2, ge=0, le=1, description="The share of answers that people compare, blind."
    )
