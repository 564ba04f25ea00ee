"""The networks that can be trained: U-Net, Dense U-Net and V-Net, in PyTorch.

Every convolution is followed by batch normalisation and ReLU, which the exported graph folds into
it.  Sources: Ronneberger et al. 2015 (U-Net); Çiçek et al. 2016 (3-D U-Net); Milletari et al. 2016
(V-Net: residual stages, strides in the place of pooling); Huang et al. 2017 and Li et al. 2018
(dense blocks in a U-Net).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import nn

Kind = Literal["unet", "dense-unet", "vnet", "unet3d"]
KINDS: tuple[Kind, ...] = ("unet", "dense-unet", "vnet", "unet3d")


@dataclass(frozen=True, slots=True)
class Shape:
    """``levels``: how often the image is halved, and one more; ``width``: channels of the first."""

    kind: Kind = "unet"
    classes: int = 2
    width: int = 16
    levels: int = 4

    @property
    def dimensions(self) -> Literal[2, 3]:
        """2: slice by slice."""
        return 2 if self.kind in ("unet", "dense-unet") else 3

    @property
    def multiple(self) -> int:
        """What the size of an image must be a multiple of."""
        return int(2 ** (self.levels - 1))


def build(shape: Shape) -> Any:
    """A network [batch, 1, …space] → scores [batch, class, …space]."""
    makers: dict[Kind, Callable[[Shape], Any]] = {
        "unet": lambda one: _UNet(one, _double),
        "unet3d": lambda one: _UNet(one, _double),
        "dense-unet": lambda one: _UNet(one, _Dense),
        "vnet": lambda one: _UNet(one, _Residual, strided=True),
    }
    return makers[shape.kind](shape)


def _convolution(dimensions: int, given: int, made: int, size: int = 3, stride: int = 1) -> Any:
    kind = nn.Conv2d if dimensions == 2 else nn.Conv3d
    norm = nn.BatchNorm2d if dimensions == 2 else nn.BatchNorm3d
    return nn.Sequential(
        kind(given, made, size, stride, padding=(size - 1) // 2, bias=False),
        norm(made),
        nn.ReLU(inplace=True),
    )


def _double(dimensions: int, given: int, made: int) -> Any:
    return nn.Sequential(
        _convolution(dimensions, given, made), _convolution(dimensions, made, made)
    )


class _Dense(nn.Module):  # type: ignore[misc]
    """Layers that are each given all that was made before, then one that brings it together."""

    _LAYERS = 4

    def __init__(self, dimensions: int, given: int, made: int) -> None:
        super().__init__()
        growth = max(made // self._LAYERS, 4)
        self.layers = nn.ModuleList(
            _convolution(dimensions, given + at * growth, growth) for at in range(self._LAYERS)
        )
        self.join = _convolution(dimensions, given + self._LAYERS * growth, made, size=1)

    def forward(self, value: Any) -> Any:
        """[batch, given, …] → [batch, made, …]."""
        for layer in self.layers:
            value = torch.cat([value, layer(value)], 1)
        return self.join(value)


class _Residual(nn.Module):  # type: ignore[misc]
    """Two convolutions whose result is added to what they were given."""

    def __init__(self, dimensions: int, given: int, made: int) -> None:
        super().__init__()
        self.steps = _double(dimensions, given, made)
        self.same = given == made
        self.turn = nn.Identity() if self.same else _convolution(dimensions, given, made, size=1)

    def forward(self, value: Any) -> Any:
        """[batch, given, …] → [batch, made, …]."""
        return self.steps(value) + self.turn(value)


class _UNet(nn.Module):  # type: ignore[misc]
    """Down, and up again with what was seen on the way down."""

    def __init__(
        self, shape: Shape, block: Callable[[int, int, int], Any], strided: bool = False
    ) -> None:
        super().__init__()
        space = shape.dimensions
        widths = [shape.width * 2**level for level in range(shape.levels)]
        pool = nn.MaxPool2d if space == 2 else nn.MaxPool3d
        turned = nn.ConvTranspose2d if space == 2 else nn.ConvTranspose3d
        last = nn.Conv2d if space == 2 else nn.Conv3d
        self.down = nn.ModuleList(
            block(space, before, width)
            for before, width in zip([1, *widths[:-1]], widths, strict=True)
        )
        self.halve = nn.ModuleList(
            _convolution(space, width, width, size=3, stride=2) if strided else pool(2)
            for width in widths[:-1]
        )
        self.widen = nn.ModuleList(turned(2 * width, width, 2, 2) for width in widths[:-1])
        self.up = nn.ModuleList(block(space, 2 * width, width) for width in widths[:-1])
        self.score = last(widths[0], shape.classes, 1)

    def forward(self, value: Any) -> Any:
        """[batch, 1, …] → [batch, class, …]; the sizes are multiples of the shape's."""
        kept = []
        for block, halve in zip(self.down, self.halve, strict=False):
            value = block(value)
            kept.append(value)
            value = halve(value)
        value = self.down[-1](value)
        for level in reversed(range(len(kept))):
            value = torch.cat([kept[level], self.widen[level](value)], 1)
            value = self.up[level](value)
        return self.score(value)
