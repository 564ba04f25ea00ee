"""Which filters are applied before features are computed, as a settings file names them.

Names, parameters and codes are those of the IBSI-2 reference manual (arXiv 2006.05470).
"""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Boundary = Literal["zero", "nearest", "periodic", "mirror"]
Order = Annotated[int, Field(ge=0, le=4)]
Millimetres = Annotated[float, Field(gt=0, le=50)]


class _Filter(BaseModel):
    """``by_slice``: the filter is two-dimensional; None as the settings have it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: ClassVar[str] = ""
    boundary: Boundary = "mirror"
    by_slice: bool | None = None

    def parts(self) -> list[str]:
        """What its label is made of."""
        raise NotImplementedError

    @property
    def label(self) -> str:
        """What stands before the tag of each of its features, the same for the same filter."""
        parts = self.parts()
        if self.by_slice is not None:
            parts.append("2D" if self.by_slice else "3D")
        if self.boundary != type(self).model_fields["boundary"].default:
            parts.append(self.boundary)
        return "_".join(parts)


class Mean(_Filter):
    """The mean of a cube (a square by slice) of ``support`` voxels a side."""

    code: ClassVar[str] = "S60F"
    kind: Literal["mean"]
    support: int = Field(default=5, ge=3, le=51)

    @field_validator("support")
    @classmethod
    def _odd(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError("support 须为奇数。(The support must be odd.)")
        return value

    def parts(self) -> list[str]:
        return ["mean", f"d{self.support}"]


class Log(_Filter):
    """Laplacian of Gaussian; ``sigma`` in mm, cut off at ``truncate`` sigma.

    ``riesz``: orders of the Riesz transform along x, y and z (x and y by slice), none by default;
    for it the response goes on periodically.
    """

    code: ClassVar[str] = "L6PA"
    kind: Literal["log"]
    sigma: Millimetres = 1.5
    truncate: float = Field(default=4.0, ge=2, le=8)
    riesz: tuple[Order, ...] = ()

    def parts(self) -> list[str]:
        return ["log", f"s{self.sigma:g}", *_riesz(self.riesz)]


class Laws(_Filter):
    """Laws kernels along x, y and z (x and y by slice), such as L5E5S5.

    ``energy``: voxels (Chebyshev) over which the absolute response is averaged, 0 for none.
    """

    code: ClassVar[str] = "JTXT"
    kind: Literal["laws"]
    kernels: str = "L5E5E5"
    rotation_invariance: bool = True
    pooling: Literal["max", "mean"] = "max"
    energy: int = Field(default=7, ge=0, le=25)

    @field_validator("kernels")
    @classmethod
    def _known(cls, value: str) -> str:
        if not re.fullmatch(r"([LES][35]|[WR]5){2,3}", value):
            raise ValueError(
                "kernels 由两个或三个 L3、L5、E3、E5、S3、S5、W5、R5 组成，如 L5E5S5。"
                "(Two or three of these kernels, such as L5E5S5.)"
            )
        return value

    @property
    def axes(self) -> tuple[str, ...]:
        """The names of the kernels along x, y and z."""
        return tuple(self.kernels[place : place + 2] for place in range(0, len(self.kernels), 2))

    def parts(self) -> list[str]:
        energy = [f"energy_delta{self.energy}"] if self.energy else []
        pooled = [f"invar_{self.pooling}"] if self.rotation_invariance else []
        return ["laws", self.kernels.lower(), *energy, *pooled]


class Gabor(_Filter):
    """The modulus of Gabor's response; ``sigma`` and ``wavelength`` in mm, angles in degrees.

    ``step``: the mean over orientations from ``theta`` on in these steps, all round; None: theta
    alone.  In three dimensions it is the mean over the three planes.
    """

    code: ClassVar[str] = "Q88H"
    kind: Literal["gabor"]
    sigma: Millimetres = 5.0
    wavelength: Millimetres = 2.0
    gamma: float = Field(default=1.5, ge=0.1, le=10)
    theta: float = Field(default=0.0, ge=0, le=360)
    step: float | None = Field(default=22.5, ge=5, le=180)

    @model_validator(mode="after")
    def _round(self) -> Gabor:
        if self.step is not None and abs(360 / self.step - round(360 / self.step)) > 1e-9:
            raise ValueError("step 须整除 360。(The step must divide 360.)")
        return self

    def parts(self) -> list[str]:
        turned = f"t{self.theta:g}" if self.step is None else f"t{self.theta:g}_step{self.step:g}"
        return [
            "gabor",
            f"s{self.sigma:g}",
            f"g{self.gamma:g}",
            f"l{self.wavelength:g}",
            turned,
        ]


class Wavelet(_Filter):
    """An undecimated separable wavelet: the low (L) and high (H) pass along x, y and z."""

    code: ClassVar[str] = "25BO"
    kind: Literal["wavelet"]
    family: str = "db3"
    passes: str = "LLH"
    level: int = Field(default=1, ge=1, le=5)
    rotation_invariance: bool = True
    pooling: Literal["max", "mean"] = "mean"

    @field_validator("passes")
    @classmethod
    def _low_or_high(cls, value: str) -> str:
        if not re.fullmatch("[LH]{2,3}", value):
            raise ValueError("passes 由 L 和 H 组成，如 LLH。(Letters L and H, such as LLH.)")
        return value

    @field_validator("family")
    @classmethod
    def _known(cls, value: str) -> str:
        if not re.fullmatch("haar|db([1-9]|10)|coif[1-5]", value):
            raise ValueError("小波可选 haar、db1–db10、coif1–coif5。(There is no such wavelet.)")
        return value

    def parts(self) -> list[str]:
        pooled = [f"invar_{self.pooling}"] if self.rotation_invariance else []
        return ["wavelet", self.family, self.passes.lower(), f"level{self.level}", *pooled]


class Simoncelli(_Filter):
    """Simoncelli's non-separable wavelet (the B map), which has no direction.

    It is computed from the spectrum, for which the image goes on periodically.  ``riesz``: orders
    of the Riesz transform along x, y and z (x and y by slice), none by default.
    """

    code: ClassVar[str] = "PRT7"
    kind: Literal["simoncelli"]
    boundary: Literal["periodic"] = "periodic"
    level: int = Field(default=1, ge=1, le=5)
    riesz: tuple[Order, ...] = ()

    def parts(self) -> list[str]:
        return ["wavelet_simoncelli", f"level{self.level}", *_riesz(self.riesz)]


def _riesz(orders: tuple[int, ...]) -> list[str]:
    return ["riesz" + "-".join(map(str, orders))] if any(orders) else []


Filter = Annotated[Mean | Log | Laws | Gabor | Wavelet | Simoncelli, Field(discriminator="kind")]


def dimensions(one: Filter) -> int | None:
    """How many axes the filter names; None where it fits any number."""
    if isinstance(one, Laws):
        return len(one.axes)
    if isinstance(one, Wavelet):
        return len(one.passes)
    if isinstance(one, Log | Simoncelli) and one.riesz:
        return len(one.riesz)
    return None
