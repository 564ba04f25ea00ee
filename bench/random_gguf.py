"""The models of `bench.random_checkpoint` as GGUF files for llama.cpp, quantised to Q4_0.

The tensors are drawn again from name and seed, so they are the same values.  Q4_0 is the rounding
of the ``gguf`` package, which is that of llama.cpp.

    python -m bench.random_gguf chatglm3-1b /tmp/chatglm3-1b-q4_0.gguf --head Q8_0
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter, LlamaFileType
from gguf.quants import quant_shape_to_byte_shape, quantize

from bench.random_checkpoint import CHATGLM, GEOMETRIES, LLAMA, Geometry, Slot, draw, slots

_TYPES = ("Q4_0", "Q8_0", "F16")
_NAMES = {
    "embedding": "token_embd",
    "norm": "output_norm",
    "head": "output",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "query_key_value": "attn_qkv",
    "dense": "attn_output",
    "dense_h_to_4h": "ffn_up",
    "dense_4h_to_h": "ffn_down",
    "q_proj": "attn_q",
    "k_proj": "attn_k",
    "v_proj": "attn_v",
    "o_proj": "attn_output",
    "gate_proj": "ffn_gate",
    "up_proj": "ffn_up",
    "down_proj": "ffn_down",
}


def gguf_name(slot: Slot) -> str:
    """The name that llama.cpp looks for."""
    if slot.drawn_as in _NAMES:
        return _NAMES[slot.drawn_as] + ".weight"
    *_, module, kind = slot.name.split(".")
    layer = slot.drawn_as.partition(".")[0]
    return f"blk.{layer}.{_NAMES[module]}.{kind}"


def for_pairs(weight: np.ndarray, heads: int) -> np.ndarray:
    """Rows of a query or key matrix in the order of llama.cpp's Llama.

    Transformers turns element i with i + half a head, llama.cpp neighbours with each other.
    """
    rows, columns = weight.shape
    halves = weight.reshape(heads, 2, rows // heads // 2, columns)
    return halves.swapaxes(1, 2).reshape(rows, columns)


def _describe(writer: GGUFWriter, geometry: Geometry) -> None:
    writer.add_name("random weights")
    writer.add_context_length(geometry.context)
    writer.add_embedding_length(geometry.hidden)
    writer.add_feed_forward_length(geometry.feed_forward)
    writer.add_block_count(geometry.layers)
    writer.add_head_count(geometry.heads)
    writer.add_head_count_kv(geometry.key_heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    half = geometry.layout != LLAMA
    writer.add_rope_dimension_count(geometry.head_size // 2 if half else geometry.head_size)
    writer.add_vocab_size(geometry.vocabulary)
    writer.add_tokenizer_model("none")
    writer.add_file_type(LlamaFileType.MOSTLY_Q4_0)


def _values(slot: Slot, geometry: Geometry, seed: int) -> Iterator[np.ndarray]:
    """A tensor in pieces that can be quantised by themselves, FP32."""
    name = gguf_name(slot)
    if geometry.layout == LLAMA and name.endswith(("attn_q.weight", "attn_k.weight")):
        whole = np.concatenate(list(draw(slot, seed))).astype(np.float32)
        heads = geometry.heads if "attn_q" in name else geometry.key_heads
        yield for_pairs(whole, heads)
    else:
        for piece in draw(slot, seed):
            yield piece.astype(np.float32)


def write_gguf(path: Path, geometry: Geometry, kind: str, head: str, seed: int = 0) -> None:
    """Write matrices as ``kind``, embeddings and head as ``head``, the rest as FP32."""
    writer = GGUFWriter(path, "chatglm" if geometry.layout == CHATGLM else "llama")
    _describe(writer, geometry)
    chosen: list[tuple[Slot, GGMLQuantizationType]] = []
    for slot in slots(geometry):
        name = head if slot.drawn_as in ("embedding", "head") else kind
        matrix = len(slot.shape) == 2
        type_ = GGMLQuantizationType[name if matrix else "F32"]
        size = math.prod(quant_shape_to_byte_shape(slot.shape, type_))
        writer.add_tensor_info(gguf_name(slot), slot.shape, np.dtype(np.float32), size, type_)
        chosen.append((slot, type_))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for slot, type_ in chosen:
        pieces = [quantize(piece, type_) for piece in _values(slot, geometry, seed)]
        writer.write_tensor_data(np.concatenate(pieces))
    writer.close()


def main() -> None:
    """Read the command line and write a file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [name for name, shape in GEOMETRIES.items() if shape.layout in (CHATGLM, LLAMA)]
    parser.add_argument("geometry", choices=names)
    parser.add_argument("file", type=Path)
    parser.add_argument("--type", choices=_TYPES, default="Q4_0", help="of the matrices")
    parser.add_argument("--head", choices=_TYPES, default="Q8_0", help="of embeddings and head")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--layers", type=int, help="fewer layers than the geometry's, to try out")
    options = parser.parse_args()
    geometry = GEOMETRIES[options.geometry]
    if options.layers:
        geometry = replace(geometry, layers=options.layers)
    write_gguf(options.file, geometry, options.type, options.head, options.seed)


if __name__ == "__main__":
    main()
