"""In what numbers an INT8 encoder's products are computed: in eight bits, or in floats after all.

Processors without an instruction for products of eight-bit numbers (VNNI, AMX) are slower with them
than with floats, and lose accuracy, as sums of pairs saturate there.  Which is quicker is measured
when a model is first opened, and kept.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np

from serving.hardware import choice, cpu, measured

Products = Literal["int8", "float"]
CHOICES: tuple[Products, ...] = ("int8", "float")

_QUANTIZER = "FakeQuantize"
_EIGHT_BIT = frozenset({"avx512_vnni", "avx_vnni", "amx_int8"})


def has_eight_bits(model: Any) -> bool:
    """Whether activations are quantised in ``model``, an openvino.Model."""
    return any(op.get_type_name() == _QUANTIZER for op in model.get_ops())


def in_floats(model: Any) -> Any | None:
    """A copy of ``model`` that quantises no activations; its weights stay as small as they are.

    None where a quantiser does more than round, so that it cannot be left out.
    """
    copy = model.clone()
    for op in copy.get_ordered_ops():
        if op.get_type_name() != _QUANTIZER:
            continue
        low, high, new_low, new_high = (op.input_value(at).get_node() for at in range(1, 5))
        if not _same(low, new_low) or not _same(high, new_high):
            return None
        op.output(0).replace(op.input_value(0))
    copy.validate_nodes_and_infer_types()
    return copy


def _same(one: Any, other: Any) -> bool:
    if one.get_type_name() != "Constant" or other.get_type_name() != "Constant":
        return False
    return np.allclose(one.data, other.data, rtol=1e-3, atol=1e-6)


def likely() -> Products:
    """What is quicker by all that the processor's flags tell."""
    return "int8" if cpu.flags() & _EIGHT_BIT else "float"


def quicker(
    digest: str, run: Callable[[Products], Callable[[], object]], kept: Path | None
) -> Products:
    """What is quicker for the model with this ``digest`` on this processor.

    ``run`` prepares one choice and gives what computes with it once; it may raise RuntimeError
    where the choice does not work here.  ``kept``: the file that what was measured is kept in;
    None measures nothing and goes by the processor's flags.
    """
    if kept is None:
        return likely()
    found = choice.quickest("an encoder computes", kept, measured.key(digest), CHOICES, run)
    return "float" if found == "float" else "int8"
