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
Deviation = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]


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


class Anchors(_Strict):
    """The boxes that a raw head corrects: at each place of each level, from the smallest stride
    on, one for every scale and ratio (height to width), scales first."""

    strides: tuple[Annotated[int, Field(ge=1, le=1024)], ...] = (8, 16, 32, 64, 128)
    sizes: tuple[Annotated[float, Field(gt=0)], ...] = (32, 64, 128, 256, 512)
    scales: tuple[Annotated[float, Field(gt=0)], ...] = (1.0, 2 ** (1 / 3), 2 ** (2 / 3))
    ratios: tuple[Annotated[float, Field(gt=0)], ...] = (0.5, 1.0, 2.0)
    weights: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)

    @model_validator(mode="after")
    def _levels(self) -> Anchors:
        if len(self.strides) != len(self.sizes):
            raise ValueError("anchors: as many sizes as strides")
        return self


class Boxes(_Strict):
    """How a detector's outputs are read; outputs are named, or taken in their order.

    ``decoded``: boxes, scores and, where there is a third, classes; ``rows``: one output of rows
    [image, class, score, four corners]; ``yolo``: one output of boxes (centre and size) with a
    score for each class, and ``objectness`` before them where it has that; ``retinanet``: scores
    before the sigmoid, and corrections of ``anchors``.  ``first``: the number that the first class
    after the background has in the outputs (or the place of its score, where each box has one for
    every class).
    """

    kind: Literal["decoded", "rows", "yolo", "retinanet"]
    outputs: tuple[str, ...] = ()
    form: Literal["corners", "centre"] = "corners"
    unit: Literal["pixel", "share"] = "pixel"
    objectness: bool = False
    first: Literal[0, 1] = 0
    anchors: Anchors = Anchors()
    score: Share = Field(default=0.3, description="Least score that is told.")
    overlap: Share = Field(default=0.5, description="IoU from which two boxes are one.")
    most: Annotated[int, Field(ge=1, le=10_000)] = 300


class Description(_Strict):
    """One image model."""

    task: Literal["segmentation", "classification", "detection"] = "segmentation"
    name: str = ""
    modality: Annotated[str, Field(pattern=r"^[A-Z]{0,16}$")] = ""
    dimensions: Literal[2, 3] = 3
    channels: Literal[1, 3] = Field(default=1, description="3: colours, red first.")
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
    mean: tuple[float, ...] = Field(
        default=(), max_length=3, description="Of each channel, taken away after scaling."
    )
    deviation: tuple[Deviation, ...] = Field(
        default=(), max_length=3, description="Of each channel, divided by after that."
    )
    window: tuple[Size, Size, Size] | None = Field(
        default=None, description="Of one pass, where the network is not run in layers."
    )
    overlap: Annotated[float, Field(ge=0, le=0.9)] = 0.5
    max_loss: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.005, description="Of Dice (of a detector: AP), that a quicker precision may cost."
    )
    classes: tuple[Class, ...] = ()
    activation: Literal["softmax", "sigmoid", "none"] = Field(
        default="softmax",
        description="What makes probabilities of a classifier's scores; none: they are such.",
    )
    temperature: Annotated[float, Field(ge=0.01, le=100)] = Field(
        default=1.0, description="Scores are divided by it; `bedside model calibrate-vision`."
    )
    boxes: Boxes | None = Field(default=None, description="How a detector gives its boxes.")
    licence: str = ""
    source: str = ""

    @model_validator(mode="after")
    def _fits(self) -> Description:
        letters = self.orientation
        if letters and sorted(_axis(one) for one in letters) != [0, 1, 2]:
            raise ValueError("orientation: three letters, one each of L/R, P/A and S/I")
        if 0 < len(self.classes) < 2:
            raise ValueError("classes: at least two, the first is the background")
        if any(values and len(values) != self.channels for values in (self.mean, self.deviation)):
            raise ValueError("mean and deviation: one number for each channel")
        if (self.task == "detection") != (self.boxes is not None):
            raise ValueError("boxes: said of a detector, and of nothing else")
        if self.task == "detection" and self.dimensions != 2:
            raise ValueError("dimensions: a detector's are 2")
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
