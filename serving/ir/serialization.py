"""A model whose weights lie in its ``.bin`` already: the ``.xml`` that goes with it.

OpenVINO's serialiser would write every weight a second time.  It writes them nowhere here, and
what its ``.xml`` says of where each constant lies is replaced by where it does lie.

Format: OpenVINO IR version 11, where a layer of type ``Const`` has ``<data … offset size>``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import openvino

from serving.ir.weight_file import WeightFile

_CONSTANT = re.compile(
    r'(<layer id="\d+" name="(?P<name>[^"]*)" type="Const"[^>]*>\s*'
    r'<data [^>]*?\boffset=")\d+(" size=")(?P<size>\d+)(?=")'
)


class GraphUnknown(Exception):
    """OpenVINO's serialiser wrote what this does not know."""


def write_graph(model: Any, path: Path, weights: WeightFile) -> None:
    """Write ``path``; constants that are not in ``weights`` yet are appended to it.

    Raises:
        OSError: the disk takes no more.
        RuntimeError: the serialiser failed, as it does when the disk takes no more.
        GraphUnknown: where the constants lie cannot be told.
    """
    places = _places(model, weights)
    # By a link of our own: where the serialiser fails, it removes what it was to write to.
    nowhere = path.with_suffix(".nowhere")
    nowhere.symlink_to(os.devnull)
    try:
        openvino.serialize(model, path, nowhere)
    finally:
        nowhere.unlink(missing_ok=True)
    text = path.read_text(encoding="utf-8")

    def placed(constant: re.Match[str]) -> str:
        offset, size = places.pop(unescape(constant["name"]), (0, -1))
        # Of an empty constant it says that it had one byte.
        if int(constant["size"]) != max(size, 1):
            raise _unknown(path)
        return f"{constant[1]}{offset}{constant[3]}{constant['size']}"

    written = _CONSTANT.sub(placed, text)
    if places:
        raise _unknown(path)
    path.write_text(written, encoding="utf-8")
    weights.flush()


def _unknown(path: Path) -> GraphUnknown:
    return GraphUnknown(
        f"{path.name}, as OpenVINO {openvino.__version__} writes it, says otherwise than expected "
        "where its weights lie; install the version of constraints.txt."
    )


def _places(model: Any, weights: WeightFile) -> dict[str, tuple[int, int]]:
    """Offset and size of every constant by its name."""
    places: dict[str, tuple[int, int]] = {}
    for node in _operations(model):
        if node.get_type_name() != "Constant":
            continue
        data, name = node.data, node.get_friendly_name()
        if name in places:
            raise GraphUnknown(f"Two constants of the graph are called {name}.")
        offset = weights.offset(data.ctypes.data)
        places[name] = (weights.append(data) if offset is None else offset, node.get_byte_size())
    return places


def _operations(model: Any) -> Iterator[Any]:
    """Of the model and of the bodies of its loops."""
    for node in model.get_ops():
        yield node
        if node.get_type_name() == "Loop":
            yield from _operations(node.get_function())
