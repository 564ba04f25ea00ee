"""How large a model is once converted: its weights in a precision, and its keys and values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Self

from serving.ir.architecture import Architecture, DeltaNet, Mixture
from serving.ir.formats import Format, Precision
from serving.ir.matrix import Matrix
from serving.ir.scheme import Scheme

CACHE_KINDS = {"u8": 1, "bf16": 2, "f32": 4}
_BITS = {"f32": 32.0, "f16": 16.0, "bf16": 16.0}
# The CPU plugin keeps a float32 scale and zero point beside the codes of a head and token.
_SCALES_OF_U8 = 8
# A process that serves, beside weights and cache; and the tokens that are reckoned with.
_BESIDES = 1 << 30
_CONTEXT = 1024


@dataclass(frozen=True, slots=True)
class CacheShape:
    """What is kept of a sequence, whatever the family.

    ``layers`` are those with keys and values; ``state``: float32 numbers that the others keep,
    however long the sequence is.
    """

    layers: int
    kv_heads: int
    head_size: int
    state: int = 0

    @classmethod
    def of(cls, architecture: Architecture) -> Self:
        """What a model of this architecture keeps."""
        mixers = [architecture.layer(index).attention for index in range(architecture.layer_count)]
        nets = [mixer for mixer in mixers if isinstance(mixer, DeltaNet)]
        state = sum(
            net.value_heads * net.head_size**2 + prod(net.convolution.shape) for net in nets
        )
        layers = len(mixers) - len(nets)
        return cls(layers, architecture.kv_heads, architecture.head_size, state)

    def bytes_per_token(self, kind: str) -> int:
        """``kind``: a key of `CACHE_KINDS`."""
        head = self.head_size * CACHE_KINDS[kind] + (_SCALES_OF_U8 if kind == "u8" else 0)
        return 2 * self.layers * self.kv_heads * head


def parameters(architecture: Architecture) -> int:
    """Weights of the model; an embedding that is the head too counts once."""
    return sum(prod(matrix.shape) for matrix in architecture.matrices)


def active_parameters(architecture: Architecture) -> int:
    """Weights that one token is multiplied by: of experts, the chosen ones; the embedding, of which
    one row is read, counts where it is the head too."""
    total = parameters(architecture)
    if architecture.head is not None:
        total -= prod(architecture.embedding.shape)
    for index in range(architecture.layer_count):
        mlp = architecture.layer(index).mlp
        if isinstance(mlp, Mixture):
            all_of_them = sum(prod(matrix.shape) for matrix in (mlp.gate, mlp.up, mlp.down))
            total -= all_of_them * (mlp.experts - mlp.chosen) // mlp.experts
    return total


def stored_bytes(architecture: Architecture, precision: Precision) -> int:
    """Size of the weights in the IR."""
    linear = architecture.projections
    experts = {matrix.names for matrix in architecture.experts}
    wide = precision.int8_share if precision.weights == "int4" else 0.0
    bits = 0.0
    for matrix in linear:
        form = precision.experts if matrix.names in experts else precision.linear
        of_one = (1 - wide) * _bits(matrix, form(matrix.shape[1])) + wide * _bits(matrix, Scheme(8))
        bits += prod(matrix.shape) * of_one
    bits += _whole(architecture.embedding, precision.embedding_form)
    if architecture.head is not None or precision.parts_head:
        bits += _whole(architecture.head or architecture.embedding, precision.head_form)
    # Norms, biases and the like stay in float32; a little more than what routers take.
    bits += 32 * _others(architecture, linear)
    return int(bits / 8)


def needed_memory(architecture: Architecture, precision: Precision) -> int:
    """Bytes that a process needs to run the model on texts of about 1,000 tokens."""
    weights = stored_bytes(architecture, precision)
    # The plugin multiplies by float weights in a layout of its own, beside the mapped file.
    copies = 1 if precision.weights in ("int4", "int8") else 2
    cache = CacheShape.of(architecture)
    return copies * weights + _CONTEXT * cache.bytes_per_token("bf16") + 4 * cache.state + _BESIDES


def _others(architecture: Architecture, linear: list[Matrix]) -> int:
    """Weights that are in no projection, embedding or head."""
    heads = [matrix for matrix in (architecture.embedding, architecture.head) if matrix]
    return parameters(architecture) - sum(prod(matrix.shape) for matrix in (*linear, *heads))


def _whole(matrix: Matrix, form: Callable[[int], Format]) -> float:
    return prod(matrix.shape) * _bits(matrix, form(matrix.shape[1]))


def _bits(matrix: Matrix, form: Format) -> float:
    if isinstance(form, Scheme):
        return form.bits_per_weight(matrix.shape[1])
    return _BITS[form]
