"""How large a model is once converted: its weights in a precision, and its keys and values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

from serving.ir.architecture import Architecture
from serving.ir.formats import Format, Precision
from serving.ir.matrix import Matrix
from serving.ir.scheme import Scheme

CACHE_KINDS = {"u8": 1, "bf16": 2, "f32": 4}
_BITS = {"f32": 32.0, "f16": 16.0, "bf16": 16.0}
# The CPU plugin keeps a float32 scale and zero point beside the codes of a head and token.
_SCALES_OF_U8 = 8


@dataclass(frozen=True, slots=True)
class CacheShape:
    """What keys and values take, whatever the family."""

    layers: int
    kv_heads: int
    head_size: int

    def bytes_per_token(self, kind: str) -> int:
        """``kind``: a key of `CACHE_KINDS`."""
        head = self.head_size * CACHE_KINDS[kind] + (_SCALES_OF_U8 if kind == "u8" else 0)
        return 2 * self.layers * self.kv_heads * head


def parameters(architecture: Architecture) -> int:
    """Weights of the model; an embedding that is the head too counts once."""
    return sum(prod(matrix.shape) for matrix in architecture.matrices)


def stored_bytes(architecture: Architecture, precision: Precision) -> int:
    """Size of the weights in the IR."""
    linear = architecture.projections
    wide = precision.int8_share if precision.weights == "int4" else 0.0
    bits = sum(
        prod(matrix.shape)
        * (
            (1 - wide) * _bits(matrix, precision.linear(matrix.shape[1]))
            + wide * _bits(matrix, Scheme(8))
        )
        for matrix in linear
    )
    bits += _whole(architecture.embedding, precision.embedding_form)
    if architecture.head is not None:
        bits += _whole(architecture.head, precision.head_form)
    # Norms and biases stay in float32.
    vectors = [matrix for matrix in architecture.matrices if len(matrix.shape) == 1]
    bits += 32 * sum(matrix.shape[0] for matrix in vectors)
    return int(bits / 8)


def _whole(matrix: Matrix, form: Callable[[int], Format]) -> float:
    return prod(matrix.shape) * _bits(matrix, form(matrix.shape[1]))


def _bits(matrix: Matrix, form: Format) -> float:
    if isinstance(form, Scheme):
        return form.bits_per_weight(matrix.shape[1])
    return _BITS[form]
