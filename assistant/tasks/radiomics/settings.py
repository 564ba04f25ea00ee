"""How features are extracted: a small YAML or JSON file, kept with every value.

The words are those of the IBSI reference manual (ibsi.readthedocs.io).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from assistant.imaging.problem import ImageProblem
from assistant.tasks.radiomics.filters.choice import Filter, dimensions

DATA = Path(__file__).parent / "data" / "settings"
DEFAULT = "standard"

Family = Literal[
    "morphology",
    "local_intensity",
    "statistics",
    "histogram",
    "volume_histogram",
    "glcm",
    "glrlm",
    "glszm",
    "gldzm",
    "ngtdm",
    "ngldm",
]
FAMILIES: tuple[Family, ...] = Family.__args__  # type: ignore[attr-defined]

FilteredFamily = Literal[
    "local_intensity",
    "statistics",
    "histogram",
    "volume_histogram",
    "glcm",
    "glrlm",
    "glszm",
    "gldzm",
    "ngtdm",
    "ngldm",
]
"""A filter does not change the shape of a region."""

Aggregation = Literal["2D_avg", "2D_comb", "2_5D_avg", "2_5D_comb", "3D_avg", "3D_comb"]
FLAT: tuple[Aggregation, ...] = ("2D_avg", "2D_comb", "2_5D_avg", "2_5D_comb")
SOLID: tuple[Aggregation, ...] = ("3D_avg", "3D_comb")

Millimetres = Annotated[float, Field(gt=0, le=100)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Resampling(_Part):
    """``spacing``: x, y and z in mm; z is left out for a resampling within slices."""

    spacing: list[Millimetres] = Field(min_length=2, max_length=3)
    interpolation: Literal["nearest", "linear", "cubic"] = "cubic"


class Bins(_Part):
    """``width``: a fixed bin size in units of intensity; ``number``: a fixed number of bins.

    ``start`` is where the first bin of a fixed size begins: at the lower bound of ``range``, at the
    least intensity of the region, or at the greatest multiple of the size that is not above that
    (as pyradiomics has it; not IBSI's way).
    """

    width: float | None = Field(default=None, gt=0)
    number: int | None = Field(default=None, ge=2, le=4096)
    start: Literal["range", "minimum", "multiple"] = "range"

    @model_validator(mode="after")
    def _one_of_them(self) -> Bins:
        if (self.width is None) == (self.number is None):
            raise ValueError("请给出 width 或 number 之一。(Give either width or number.)")
        return self


class Settings(_Part):
    """Everything that a value depends on but the image and the region."""

    name: str = Field(default="", max_length=64)
    by_slice: bool = Field(default=False, description="2-D: slices are not resampled or joined.")
    normalisation: Literal["none", "zscore", "range"] = Field(
        default="none",
        description="Of MR: (x − mean) / sd of the whole image × 100, or 0 to 100 between the 1st "
        "and 99th percentile.",
    )
    resampling: Resampling | None = None
    rounded: bool | None = Field(
        default=None, description="Whole numbers after interpolation; by default for HU."
    )
    range: tuple[float | None, float | None] | None = Field(
        default=None, description="Intensities outside leave the region (re-segmentation)."
    )
    outlier_sigma: float | None = Field(default=None, gt=0, le=100)
    bins: Bins = Bins(width=25, start="minimum")
    volume_histogram_bins: Bins | None = Field(
        default=None, description="None: each whole number of the unit is a step."
    )
    families: tuple[Family, ...] = FAMILIES
    aggregations: tuple[Aggregation, ...] = SOLID
    filters: tuple[Filter, ...] = Field(
        default=(), max_length=64, description="Of IBSI-2; features of each response map."
    )
    filter_families: tuple[FilteredFamily, ...] = Field(
        default=("statistics",), min_length=1, description="The families of response maps."
    )
    filter_bins: Bins = Field(
        default=Bins(number=32), description="Of response maps, whose unit is arbitrary."
    )

    @model_validator(mode="after")
    def _fits(self) -> Settings:
        low, high = self.range or (None, None)
        if low is not None and high is not None and low >= high:
            raise ValueError("range 的下限须小于上限。(The range has no width.)")
        if self.resampling and not self.by_slice and len(self.resampling.spacing) != 3:
            raise ValueError("三维重采样须给出 x、y、z 间距。(Give three spacings.)")
        if not self.families and not self.filters:
            raise ValueError("families 与 filters 不能都为空。(There is nothing to compute.)")
        return self

    @model_validator(mode="after")
    def _filters_fit(self) -> Settings:
        labels = [one.label for one in self.filters]
        if len(set(labels)) < len(labels):
            raise ValueError("filters 中有重复的滤波。(A filter is named twice.)")
        for one in self.filters:
            flat = self.by_slice if one.by_slice is None else one.by_slice
            if dimensions(one) not in (None, 2 if flat else 3):
                raise ValueError(
                    f"滤波 {one.label} 的方向数不对：二维给两个，三维给三个。"
                    "(Name two axes by slice, three otherwise.)"
                )
        return self


def shipped() -> list[str]:
    """The names of the settings that come with the program."""
    return sorted(path.stem for path in DATA.glob("*.yaml"))


def load(source: str = DEFAULT) -> Settings:
    """Settings by a shipped name, or from a YAML or JSON file.

    Raises `ImageProblem` with what is wrong in it.
    """
    import yaml

    path = DATA / f"{source}.yaml" if source in shipped() else Path(source)
    try:
        text = path.read_text("utf-8")
        loaded = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
        return Settings.model_validate({} if loaded is None else loaded)
    except OSError:
        known = "、".join(shipped())
        raise ImageProblem(
            f"没有这个设置文件；内置的有：{known}。", "There is no such settings file."
        ) from None
    except ValidationError as error:
        item = error.errors()[0]
        place = ".".join(str(part) for part in item["loc"]) or "settings"
        raise ImageProblem(
            f"设置 {place} 有误，请改正。", f"{place}: {item['msg'].removeprefix('Value error, ')}"
        ) from None
    except (ValueError, yaml.YAMLError, RecursionError):
        raise ImageProblem(
            "设置文件不是有效的 YAML 或 JSON。", "The settings file is no valid YAML or JSON."
        ) from None
