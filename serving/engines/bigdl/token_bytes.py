"""The bytes that each token id stands for, out of a converted detokenizer."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

_DECODER = "VocabDecoder"


def token_bytes(folder: Path) -> list[bytes]:
    """Bytes by id; none for tokens that stand for themselves (roles, ends).

    ``folder`` holds ``openvino_detokenizer.xml`` as `serving.ir.tokenizer` writes it: its decoder
    has the ids first, then begins, ends and characters of the vocabulary, then the hidden ids.
    """
    model = _core().read_model(folder / "openvino_detokenizer.xml")
    (decoder,) = (op for op in model.get_ops() if op.get_type_name() == _DECODER)
    begins, ends, characters = (_constant(decoder, at) for at in (1, 2, 3))
    text = characters.tobytes()
    found = [text[begin:end] for begin, end in zip(begins, ends, strict=True)]
    for hidden in _hidden(decoder):
        found[hidden] = b""
    return found


@cache
def _core() -> Any:
    """Kept, as the tokenizers' operations must not be unloaded while a model has them."""
    import openvino

    core = openvino.Core()
    core.add_extension(import_module("openvino_tokenizers")._ext_path)
    return core


def _constant(operation: Any, at: int) -> Any:
    return operation.input_value(at).get_node().data


def _hidden(decoder: Any) -> list[int]:
    node = decoder.input_value(4).get_node()
    # The ids pass through a slice, by which GenAI turns the hiding off.
    while node.get_type_name() != "Constant":
        node = node.input_value(0).get_node()
    ids: list[int] = node.data.tolist()
    return ids
