"""Lift the length at which an OpenVINO tokenizer cuts its input.

Tokenizers made from a GGUF file cut silently after 8192 tokens, whatever the model's context is.
The limit is one integer constant that feeds a ``Minimum`` node; it is changed in place.
"""

from __future__ import annotations

import struct
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable
from pathlib import Path

_FORMATS = {("i32", 4): "<i", ("i64", 8): "<q"}


def lift(folder: Path, limit: int) -> int:
    """Raise every cut-off below ``limit`` tokens in ``openvino_tokenizer.{xml,bin}`` to it.

    Returns how many were raised.
    """
    root = ElementTree.parse(folder / "openvino_tokenizer.xml").getroot()  # noqa: S314
    layers = {layer.attrib["id"]: layer for layer in root.iter("layer")}
    targets = {key for key, layer in layers.items() if layer.attrib["type"] == "Minimum"}
    sources = {
        edge.attrib["from-layer"]
        for edge in root.iter("edge")
        if edge.attrib["to-layer"] in targets
    }
    raised = 0
    with (folder / "openvino_tokenizer.bin").open("r+b") as weights:
        for key in sources:
            data = layers[key].find("data")
            if layers[key].attrib["type"] != "Const" or data is None:
                continue
            form = _FORMATS.get((data.attrib["element_type"], int(data.attrib["size"])))
            if form is None or _users(layers.values(), data.attrib["offset"]) > 1:
                continue
            weights.seek(int(data.attrib["offset"]))
            (value,) = struct.unpack(form, weights.read(struct.calcsize(form)))
            if 0 < value < limit:
                weights.seek(int(data.attrib["offset"]))
                weights.write(struct.pack(form, limit))
                raised += 1
    return raised


def _users(layers: Iterable[ElementTree.Element], offset: str) -> int:
    """How many constants lie at ``offset``; a shared one must not be changed."""
    count = 0
    for layer in layers:
        data = layer.find("data")
        if layer.attrib["type"] == "Const" and data is not None:
            count += data.attrib.get("offset") == offset
    return count
