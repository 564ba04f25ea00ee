"""What differs between decoder-only language models, as data: the graph is one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from serving.ir.matrix import Matrix
from serving.ir.rotary import Rotary, RotaryUnknown

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
class Layer:
    """One decoder layer's tensors.

    ``qkv``: query rows of every head, then key, then value; query and key rows are in the rotary
    order.  ``gate_up``: gate rows then up rows, or only one projection where nothing is gated.
    """

    attention_norm: Norm
    qkv: Linear
    attention_output: Linear
    mlp_norm: Norm
    gate_up: Linear
    down: Linear
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
        return self.hidden_size, self.intermediate_size, self.heads * self.head_size

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
        layer.gate_up,
        layer.down,
        layer.post_mlp_norm,
    ]
    found: list[Matrix] = []
    for part in parts:
        if part is not None:
            found.append(part.weight)
            if part.bias is not None:
                found.append(part.bias)
    return found


def describe(config: Config, family: str = "") -> Architecture:
    """The architecture that a ``config.json`` speaks of; ``family`` where it does not tell.

    Raises:
        ArchitectureUnknown: it is not one of ours, or lacks a field.
    """
    from serving.ir import families

    # A field that is null says as little as one that is not there.
    config = {key: value for key, value in config.items() if value is not None}
    name = family or families.name_of(config)
    if name not in families.KNOWN:
        if family:
            known = ", ".join(sorted(families.KNOWN))
            raise ArchitectureUnknown(f"The family {family!r} is not known (known: {known}).")
        kind = config.get("model_type") or config.get("architectures") or "no model_type"
        known = ", ".join(sorted(families.KNOWN))
        raise ArchitectureUnknown(
            f"config.json: the architecture {kind!r} is not known (known: {known}). "
            "Other architectures can be exported with optimum-intel: pip install 'bedside[export]'."
        )
    try:
        found = families.KNOWN[name](config, name)
        _check_positive(found)
        if found.heads % found.kv_heads:
            raise ValueError(f"{found.kv_heads} key heads cannot serve {found.heads} heads")
        return found
    except KeyError as error:
        raise ArchitectureUnknown(
            f"the configuration of this {name} model lacks the field {error.args[0]!r}."
        ) from error
    except (TypeError, ValueError, AttributeError, ArithmeticError, RotaryUnknown) as error:
        raise ArchitectureUnknown(f"the configuration of this {name} model: {error}.") from error


def _check_positive(found: Architecture) -> None:
    sizes = {
        "layers": found.layer_count,
        "heads": found.heads,
        "key heads": found.kv_heads,
        "a head": found.head_size,
        "the hidden state": found.hidden_size,
        "the MLP": found.intermediate_size,
        "the vocabulary": found.vocabulary,
        "the context": found.context_length,
    }
    if wrong := [f"{what}: {size}" for what, size in sizes.items() if size <= 0]:
        raise ValueError(f"a size is not positive ({', '.join(wrong)})")
