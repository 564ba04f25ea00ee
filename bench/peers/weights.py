"""How many bytes of weights one token reads, of an OpenVINO model."""

from __future__ import annotations

from typing import Any

_SMALL = 1 << 12
_PASSED_ON = {"Convert", "Subtract", "Multiply", "Reshape"}


def weight_bytes(model: Any) -> int:
    """Bytes of the constants that a decoding step reads whole.

    A table that is only looked up (the embeddings) is left out, with its scales and zero points; a
    head that shares the table is read whole and counts.  Constants of less than 4 KiB (shapes,
    axes) are left out too.
    """
    return sum(
        node.get_byte_size()
        for node in model.get_ordered_ops()
        if node.get_type_name() == "Constant"
        and node.get_byte_size() >= _SMALL
        and not _only_looked_up(node)
    )


def _only_looked_up(constant: Any) -> bool:
    """Whether every use, behind its decompression, is as the table of a Gather."""
    waiting = [constant.output(0)]
    uses = []
    while waiting:
        for target in waiting.pop().get_target_inputs():
            node = target.get_node()
            if node.get_type_name() in _PASSED_ON:
                waiting.append(node.output(0))
            else:
                uses.append(node.get_type_name() == "Gather" and target.get_index() == 0)
    return bool(uses) and all(uses)


def cache_element_bytes(compiled: Any) -> int:
    """Bytes of a number in the key-value cache of a compiled stateful model."""
    kind = str(compiled.get_property("KV_CACHE_PRECISION"))
    for name, width in {"u8": 1, "uint8": 1, "f16": 2, "float16": 2, "bf": 2, "f32": 4}.items():
        if name in kind:
            return width
    return 4
