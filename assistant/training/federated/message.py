"""What goes over the wire: named float32 tensors and plain facts, as one safetensors file.

A safetensors file is a JSON header and raw numbers.  Reading one runs no code, which a pickle does.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

Weights = dict[str, NDArray[np.float32]]


class MessageInvalid(Exception):
    """A message that cannot be used; the message of the error says why."""


def pack(weights: Mapping[str, NDArray[np.float32]], facts: Mapping[str, Any]) -> bytes:
    """Tensors and facts (JSON) as bytes."""
    whole = {name: np.ascontiguousarray(value, np.float32) for name, value in weights.items()}
    made: bytes = save(whole, {"facts": json.dumps(facts, ensure_ascii=False)})
    return made


def unpack(data: bytes) -> tuple[Weights, dict[str, Any]]:
    """The tensors and facts of `pack`.

    Raises:
        MessageInvalid: it is no such file, or a tensor is not float32.
    """
    try:
        weights = load(data)
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        facts = json.loads(header["__metadata__"]["facts"])
    except (SafetensorError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise MessageInvalid("消息不是 safetensors 文件。(Not a safetensors message.)") from error
    if not isinstance(facts, dict) or any(one.dtype != np.float32 for one in weights.values()):
        raise MessageInvalid("消息的数值须为 float32。(Tensors must be float32.)")
    return weights, facts


def check(weights: Weights, like: Weights) -> None:
    """Whether ``weights`` has the names and shapes of ``like`` and only finite numbers.

    Raises:
        MessageInvalid: it has not.
    """
    same = weights.keys() == like.keys() and all(
        value.shape == like[name].shape for name, value in weights.items()
    )
    if not same:
        raise MessageInvalid(
            "张量的名称或形状与本次训练的模型不符。(Names or shapes of the tensors are not "
            "those of this model.)"
        )
    if not all(np.isfinite(value).all() for value in weights.values()):
        raise MessageInvalid(
            "更新含非数值。(The update holds numbers that are not finite; lower the rate.)"
        )


def norm(weights: Mapping[str, NDArray[np.float32]]) -> float:
    """The Euclidean length of all tensors as one vector."""
    return math.sqrt(sum(float(np.vdot(one, one)) for one in weights.values()))


def difference(one: Weights, other: Weights) -> Weights:
    """``one`` less ``other``, by name."""
    return {name: value - other[name] for name, value in one.items()}
