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
    """Root-mean-square norm, or layer norm where there is a bias.

    ``offset`` is added to the weight: some families store what differs from 1.  ``epsilon`` is the
    norm's own, where it is not the model's.
    """

    weight: Matrix
    bias: Matrix | None = None
    offset: float = 0.0
    epsilon: float | None = None


@dataclass(frozen=True, slots=True)
class Linear:
    """A projection: rows are outputs."""

    weight: Matrix
    bias: Matrix | None = None


@dataclass(frozen=True, slots=True)
class Attention:
    """``qkv``: query rows of every head, then key, then value; query and key rows are in the
    rotary order.  Where it is ``gated``, as many rows as the queries follow, whose sigmoid the
    output is times."""

    qkv: Linear
    output: Linear
    query_norm: Norm | None = None
    key_norm: Norm | None = None
    gated: bool = False


@dataclass(frozen=True, slots=True)
class LatentAttention:
    """Attention whose queries, keys and values come out of narrow projections.

    ``query_down`` and its norm may be left out.  ``query_up``: of every head ``still`` rows, then
    ``turning`` rows in the rotary order.  ``shared_down``: rows of what keys and values share, then
    the rows of the key's turning part, which is one for all heads.  ``shared_up``: the still rows
    of every head's key, then the rows of every head's value, ``still + turning`` each.

    Source: DeepSeek-AI, DeepSeek-V2 (2024), section 2.1.
    """

    still: int
    turning: int
    query_down: Linear | None
    query_norm: Norm | None
    query_up: Linear
    shared_down: Linear
    shared_norm: Norm
    shared_up: Linear
    output: Linear


@dataclass(frozen=True, slots=True)
class DeltaNet:
    """A gated delta net: a state of fixed size for each head in place of keys and values.

    ``projections``: rows of query, key and value, which a causal ``convolution``
    [channels, kernel] goes over, then of the gate of the output.  ``gates``: rows of the
    strength of writing, then of the decay, of which ``decay`` [value heads] (the logarithm of its
    rate) and ``step`` [value heads] (a bias) are the rest.  ``norm`` is over one head.

    Source: Yang et al., Gated Delta Networks (2024).
    """

    key_heads: int
    value_heads: int
    head_size: int
    projections: Linear
    gates: Matrix
    convolution: Matrix
    decay: Matrix
    step: Matrix
    norm: Norm
    output: Linear

    @property
    def kernel(self) -> int:
        """Tokens that the convolution sees."""
        return self.convolution.shape[1]


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
    all are times ``factor``.  ``shared`` is an expert that every token has, times the sigmoid of
    ``shared_gate`` [1, hidden] where there is one.
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
    shared_gate: Matrix | None = None

    @property
    def width(self) -> int:
        """Of one expert."""
        return self.down.shape[1]


@dataclass(frozen=True, slots=True)
class Layer:
    """One decoder layer's tensors."""

    attention_norm: Norm
    attention: Attention | LatentAttention | DeltaNet
    mlp_norm: Norm
    mlp: Mlp | Mixture
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
    def hybrid(self) -> bool:
        """Whether some layers keep a state in place of keys and values."""
        layers = (self.layer(index) for index in range(self.layer_count))
        return any(isinstance(layer.attention, DeltaNet) for layer in layers)

    @property
    def projections(self) -> list[Matrix]:
        """The matrices of all layers that are multiplied by, routers aside, in order."""
        layers = (self.layer(index) for index in range(self.layer_count))
        return [matrix for layer in layers for matrix in layer_projections(layer)]

    @property
    def experts(self) -> list[Matrix]:
        """Those of `projections` that some tokens are multiplied by only."""
        mlps = (self.layer(index).mlp for index in range(self.layer_count))
        return [
            matrix
            for mlp in mlps
            if isinstance(mlp, Mixture)
            for matrix in (mlp.gate, mlp.up, mlp.down)
        ]

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
    parts: list[Norm | Linear | Matrix | None] = [
        layer.attention_norm,
        layer.post_attention_norm,
        layer.mlp_norm,
        layer.post_mlp_norm,
    ]
    mixer = layer.attention
    if isinstance(mixer, Attention):
        parts += [mixer.qkv, mixer.query_norm, mixer.key_norm, mixer.output]
    elif isinstance(mixer, LatentAttention):
        parts += [mixer.query_down, mixer.query_norm, mixer.query_up, mixer.shared_down]
        parts += [mixer.shared_norm, mixer.shared_up, mixer.output]
    else:
        parts += [mixer.projections, mixer.gates, mixer.convolution, mixer.decay, mixer.step]
        parts += [mixer.norm, mixer.output]
    mlp = layer.mlp.shared if isinstance(layer.mlp, Mixture) else layer.mlp
    if mlp is not None:
        parts += [mlp.gate_up, mlp.down]
    if isinstance(layer.mlp, Mixture):
        of = layer.mlp
        parts += [of.router, of.gate, of.up, of.down, of.correction, of.shared_gate]
    found: list[Matrix] = []
    for part in parts:
        if isinstance(part, Matrix):
            found.append(part)
        elif part is not None:
            found.append(part.weight)
            if part.bias is not None:
                found.append(part.bias)
    return found


def layer_projections(layer: Layer) -> list[Matrix]:
    """The matrices of one layer that may be kept as codes, in order."""
    found = [linear.weight for linear in layer_linears(layer)]
    if isinstance(layer.mlp, Mixture):
        found += [layer.mlp.gate, layer.mlp.up, layer.mlp.down]
    return found


def layer_linears(layer: Layer) -> list[Linear]:
    """The projections of one layer, in order, without those of experts that are chosen."""
    found = _mixing(layer.attention)
    mlp = layer.mlp.shared if isinstance(layer.mlp, Mixture) else layer.mlp
    return found if mlp is None else [*found, mlp.gate_up, mlp.down]


def _mixing(of: Attention | LatentAttention | DeltaNet) -> list[Linear]:
    if isinstance(of, Attention):
        return [of.qkv, of.output]
    if isinstance(of, DeltaNet):
        return [of.projections, of.output]
    down = [] if of.query_down is None else [of.query_down]
    return [*down, of.query_up, of.shared_down, of.shared_up, of.output]
