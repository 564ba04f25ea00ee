"""What a model's ``vision.yaml`` says: which images it takes and what its classes are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from serving.vision.problem import VisionProblem

FILE_NAME = "vision.yaml"
_AXES = ("LR", "PA", "SI")

Millimetres = Annotated[float, Field(gt=0, lt=1000)]
Size = Annotated[int, Field(ge=1, le=4096)]
Colour = Annotated[int, Field(ge=0, le=255)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Class(_Strict):
    """One class; its number is its place in the list, 0 the background.

    ``code`` is of SNOMED CT where there is one; ``paired``: there is one on either side of the
    body, and the model does not tell them apart.
    """

    name: Annotated[str, Field(min_length=1, max_length=100)]
    name_zh: str = ""
    code: Annotated[str, Field(pattern=r"^[0-9]{0,18}$")] = ""
    colour: tuple[Colour, Colour, Colour] = (255, 196, 0)
    paired: bool = False


class Intensity(_Strict):
    """How intensities are scaled before the network.

    ``minmax``: the image's least and greatest to 0 and 1; ``percentiles``: those of ``low`` and
    ``high`` (of 100) to 0 and 1, cut off; ``range``: ``low`` and ``high`` in the image's own unit
    to 0 and 1, cut off; ``zscore``: mean 0 and deviation 1; ``none``.
    """

    kind: Literal["minmax", "percentiles", "range", "zscore", "none"] = "minmax"
    low: float = 0.0
    high: float = 1.0

    @model_validator(mode="after")
    def _ordered(self) -> Intensity:
        ends = {"low", "high"} <= self.model_fields_set
        if self.kind in ("percentiles", "range") and not ends:
            # From 0 to 1 of HU nearly everything would be cut off, and nobody would notice.
            raise ValueError(f"{self.kind} needs low and high")
        if self.kind in ("percentiles", "range") and not self.low < self.high:
            raise ValueError("low must be below high")
        if self.kind == "percentiles" and not 0 <= self.low < self.high <= 100:
            raise ValueError("percentiles lie between 0 and 100")
        return self


class Description(_Strict):
    """One image model."""

    task: Literal["segmentation"] = "segmentation"
    name: str = ""
    modality: Annotated[str, Field(pattern=r"^[A-Z]{0,16}$")] = ""
    dimensions: Literal[2, 3] = 3
    layout: Literal["channels_first", "channels_last"] = "channels_first"
    spacing: tuple[Millimetres, Millimetres, Millimetres] | None = Field(
        default=None, description="mm along the network's axes; none: the image's own."
    )
    orientation: str = Field(
        default="",
        description="Where the network's axes go to, as LIA; empty: slices, rows, columns.",
    )
    size: tuple[Size, Size, Size] | None = Field(
        default=None, description="The least size of what the network is given; it is filled up."
    )
    intensity: Intensity = Intensity()
    window: tuple[Size, Size, Size] | None = Field(
        default=None, description="Of one pass, where the network is not run in layers."
    )
    overlap: Annotated[float, Field(ge=0, le=0.9)] = 0.5
    max_loss: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.005, description="Of Dice, that a quicker precision may cost."
    )
    classes: tuple[Class, ...] = ()
    licence: str = ""
    source: str = ""

    @model_validator(mode="after")
    def _fits(self) -> Description:
        letters = self.orientation
        if letters and sorted(_axis(one) for one in letters) != [0, 1, 2]:
            raise ValueError("orientation: three letters, one each of L/R, P/A and S/I")
        if 0 < len(self.classes) < 2:
            raise ValueError("classes: at least two, the first is the background")
        return self


def as_yaml(said: Description) -> str:
    """The file's text; what is as it would be without being said is left out."""
    plain = said.model_dump(mode="json", exclude_defaults=True)
    if "intensity" in plain:
        # A bound that happens to be the default must be said all the same.
        plain["intensity"] = (
            said.intensity.model_dump(mode="json", exclude_unset=True) | plain["intensity"]
        )
    return yaml.safe_dump(plain, allow_unicode=True, sort_keys=False)


def _axis(letter: str) -> int:
    return next((at for at, pair in enumerate(_AXES) if letter in pair), -1)


def read(path: Path) -> Description:
    """One ``vision.yaml``.

    Raises:
        VisionProblem: it cannot be read, or says what cannot be.
    """
    try:
        plain: Any = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        raise VisionProblem(
            f"{FILE_NAME} 不是有效的 YAML，请修正。", f"{FILE_NAME} is not valid YAML; correct it."
        ) from None
    try:
        return Description.model_validate(plain or {})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        said = first["msg"].removeprefix("Value error, ")
        raise VisionProblem(
            f"{FILE_NAME} 的 {place or '内容'} 有误，请修正。", f"{FILE_NAME}: {place} {said}"
        ) from None
