"""What differs between decoder-only language models, as data: the graph is one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from serving.ir.matrix import Matrix
from serving.ir.rotary import Rotary

Config = Mapping[str, Any]


class ArchitectureUnknown(Exception):
    """The checkpoint is of no architecture that is known here; the message lists those that are."""


@dataclass(frozen=True, slots=True)
class Norm:
    """Root-mean-square norm, or layer norm where there is a bias."""

    weight: Matrix
    bias: Matrix | None = None


@dataclass(frozen=True, slots=True)
class Linear:
    """A projection: rows are outputs."""

    weight: Matrix
    bias: Matrix | None = None


@dataclass(frozen=True, slots=True)
class Mlp:
    """``gate_up``: gate rows then up rows, or only one projection where nothing is gated."""

    gate_up: Linear
    down: Linear


@dataclass(frozen=True, slots=True)
class Mixture:
    """Experts, of which a router chooses ``chosen`` for each token.

    ``gate``, ``up`` [experts · width, hidden] and ``down`` [experts · hidden, width] hold one
    expert below the other; ``router`` [experts, hidden] scores them.  ``correction`` [experts] is
    added to the scores for the choice alone; ``normalised`` weights are shares of their sum, and
    all are times ``factor``.  ``shared`` is an expert that every token has.
    """

    experts: int
    chosen: int
    router: Matrix
    gate: Matrix
    up: Matrix
    down: Matrix
    scoring: Literal["softmax", "sigmoid"] = "softmax"
    normalised: bool = True
    factor: float = 1.0
    correction: Matrix | None = None
    shared: Mlp | None = None

    @property
    def width(self) -> int:
        """Of one expert."""
        return self.down.shape[1]


@dataclass(frozen=True, slots=True)
class Layer:
    """One decoder layer's tensors.

    ``qkv``: query rows of every head, then key, then value; query and key rows are in the rotary
    order.
    """

    attention_norm: Norm
    qkv: Linear
    attention_output: Linear
    mlp_norm: Norm
    mlp: Mlp | Mixture
    query_norm: Norm | None = None
    key_norm: Norm | None = None
    post_attention_norm: Norm | None = None
    post_mlp_norm: Norm | None = None


@dataclass(frozen=True, slots=True)
class Architecture:
    """One model: its geometry, what it does differently, and where its tensors are.

    ``residual_scale``: the normed input of a block, times this, is added to the block's output
    (ChatGLM-6B); None adds the input itself.  ``prefix_token``: everything up to and including this
    token is read in both directions, and positions count as in ChatGLM-6B; ``mask_tokens`` are
    where the answer is to be filled in.  ``head`` is None where the embedding serves as head.
    """

    family: str
    vocabulary: int
    hidden_size: int
    layer_count: int
    heads: int
    kv_heads: int
    head_size: int
    intermediate_size: int
    context_length: int
    norm_epsilon: float
    rotary: Rotary
    embedding: Matrix
    final_norm: Norm
    layer: Callable[[int], Layer]
    head: Matrix | None
    activation: Literal["silu", "gelu"] = "silu"
    gated: bool = True
    residual_scale: float | None = None
    prefix_token: int | None = None
    mask_tokens: tuple[int, ...] = ()

    @property
    def widths(self) -> tuple[int, ...]:
        """Weights in a row of its projections."""
        found = {matrix.shape[1] for matrix in self.projections}
        return tuple(sorted(found))

    @property
    def projections(self) -> list[Matrix]:
        """The matrices of all layers that are multiplied by, routers aside, in order."""
        layers = (self.layer(index) for index in range(self.layer_count))
        return [matrix for layer in layers for matrix in layer_projections(layer)]

    @property
    def matrices(self) -> list[Matrix]:
        """Every tensor of the model, in the graph's order."""
        found = [self.embedding]
        for index in range(self.layer_count):
            found += layer_matrices(self.layer(index))
        found.append(self.final_norm.weight)
        if self.final_norm.bias is not None:
            found.append(self.final_norm.bias)
        return found if self.head is None else [*found, self.head]


def layer_matrices(layer: Layer) -> list[Matrix]:
    """The tensors of one layer."""
    parts: list[Norm | Linear | None] = [
        layer.attention_norm,
        layer.qkv,
        layer.query_norm,
        layer.key_norm,
        layer.attention_output,
        layer.post_attention_norm,
        layer.mlp_norm,
        layer.post_mlp_norm,
    ]
    mlp = layer.mlp.shared if isinstance(layer.mlp, Mixture) else layer.mlp
    if mlp is not None:
        parts += [mlp.gate_up, mlp.down]
    found: list[Matrix] = []
    for part in parts:
        if part is not None:
            found.append(part.weight)
            if part.bias is not None:
                found.append(part.bias)
    if isinstance(layer.mlp, Mixture):
        mixture = layer.mlp
        found += [mixture.router, mixture.gate, mixture.up, mixture.down]
        if mixture.correction is not None:
            found.append(mixture.correction)
    return found


def layer_projections(layer: Layer) -> list[Matrix]:
    """The matrices of one layer that tokens are multiplied by, the router aside."""
    found = [layer.qkv.weight, layer.attention_output.weight]
    mixture = layer.mlp if isinstance(layer.mlp, Mixture) else None
    mlp = mixture.shared if mixture is not None else layer.mlp
    if isinstance(mlp, Mlp):
        found += [mlp.gate_up.weight, mlp.down.weight]
    if mixture is not None:
        found += [mixture.gate, mixture.up, mixture.down]
    return found
