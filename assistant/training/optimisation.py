"""How steps are taken: device, optimiser, learning rate, averaged weights."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import torch

from serving.hardware import cpu

logger = logging.getLogger("bedside.training")

Progress = Callable[[int, int, str], None]
"""(steps done, steps in all, what is measured now)."""

Numbers = Literal["auto", "bf16", "f32"]
_NOT_DECAYED = ("bias", "LayerNorm.weight")


class TrainingInvalid(Exception):
    """Training cannot begin or go on; the message says why."""


def device() -> Any:
    """A GPU where PyTorch sees one, else the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def products(numbers: Numbers) -> contextlib.AbstractContextManager[Any]:
    """A block in which matrices are multiplied in ``numbers``; sums and norms stay in float32.

    ``auto`` is bfloat16 on a GPU and on processors with AMX.  Elsewhere float32: PyTorch's bfloat16
    by AVX-512 was measured slower at the widths of small encoders.
    """
    kind = device().type
    if numbers == "f32" or (numbers == "auto" and kind == "cpu" and "amx_bf16" not in cpu.flags()):
        return contextlib.nullcontext()
    autocast: contextlib.AbstractContextManager[Any] = torch.autocast(kind, dtype=torch.bfloat16)
    return autocast


def adamw(model: Any, rate: Callable[[str], float], decay: float = 0.01) -> Any:
    """AdamW (Loshchilov and Hutter 2019) with a rate for each tensor's name.

    Biases and norms do not decay.
    """
    groups: dict[tuple[float, float], list[Any]] = {}
    for name, parameter in model.named_parameters():
        lost = 0.0 if name.endswith(_NOT_DECAYED) else decay
        groups.setdefault((rate(name), lost), []).append(parameter)
    return torch.optim.AdamW(
        [
            {"params": parameters, "lr": top, "top": top, "weight_decay": lost}
            for (top, lost), parameters in groups.items()
        ],
        betas=(0.9, 0.98),
        eps=1e-6,
        fused=True,
    )


def extended(model: Any, optimizer: Any, wanted: bool) -> tuple[Any, Any]:
    """Model and optimiser with the kernels of Intel Extension for PyTorch, where that is
    ``wanted``, can be imported, and a processor computes; else as they are.

    Its makers ended it with 2.8 and brought its kernels into PyTorch itself, so newer PyTorch does
    without.
    """
    if not wanted or device().type != "cpu":
        return model, optimizer
    try:
        import intel_extension_for_pytorch as extension
    except (ImportError, OSError, AttributeError) as error:
        logger.warning(
            "没有可用的 Intel Extension for PyTorch，改用 PyTorch 自身的内核。Intel Extension for "
            "PyTorch cannot be imported (%s): PyTorch's own kernels are used.",
            type(error).__name__,
        )
        return model, optimizer
    made: tuple[Any, Any] = extension.optimize(
        model.train(), optimizer=optimizer, dtype=torch.float32, inplace=True
    )
    return made


def warm_and_fall(optimizer: Any, step: int, steps: int, warm: float) -> None:
    """Rates rise over the share ``warm`` of all steps and fall in a straight line to nothing."""
    place = step / max(1, steps)
    factor = place / warm if place < warm else (1 - place) / (1 - warm)
    for group in optimizer.param_groups:
        group["lr"] = group["top"] * max(factor, 0.01)


def clip(parameters: Iterable[Any], norm: float = 1.0) -> float:
    """Shorten the gradient to ``norm``; its length before."""
    return float(torch.nn.utils.clip_grad_norm_(parameters, norm))


class Average:
    """A running mean of the weights (Polyak and Juditsky 1992), forgetting by ``keep`` a step."""

    def __init__(self, model: Any, keep: float) -> None:
        self.weights = {name: value.detach().clone() for name, value in model.named_parameters()}
        self._keep = keep
        self.steps = 0

    def update(self, model: Any) -> None:
        """Take the model's weights of this step in; early on the mean is over all steps so far."""
        self.steps += 1
        keep = min(self._keep, self.steps / (self.steps + 9))
        own = [value.detach() for _, value in model.named_parameters()]
        torch._foreach_lerp_(list(self.weights.values()), own, 1 - keep)

    def restore(self, weights: Mapping[str, Any], steps: int) -> None:
        """Go on from ``weights`` by name, a mean over ``steps`` steps."""
        self.weights = {name: weights[name] for name in self.weights}
        self.steps = steps

    @staticmethod
    def take(weights: Mapping[str, Any], model: Any) -> None:
        """Give the model ``weights``."""
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                parameter.copy_(weights[name])

    @contextlib.contextmanager
    def in_place(self, model: Any) -> Any:
        """The model with the averaged weights, for as long as it lasts."""
        own = {name: value.detach().clone() for name, value in model.named_parameters()}
        self.take(self.weights, model)
        try:
            yield
        finally:
            self.take(own, model)
