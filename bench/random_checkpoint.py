"""Checkpoints of random weights, at the geometries that the benches measure.

What a run costs does not depend on the values, so no download is needed to measure a 6 B model.
Weights are normal with a standard deviation of 0.02 in FP16, norms are one, biases zero-mean.  A
tensor's values depend on its name and the seed alone: ``chatglm3-6b`` (as its authors published the
layout) and ``glm-6b`` (the native layout of Transformers) hold the same model.  Tensors stream to
the file a few rows at a time.

    python -m bench.random_checkpoint chatglm3-1b /tmp/chatglm3-1b
"""

from __future__ import annotations

import argparse
import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import AddedToken, Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel

from serving.ir.sentencepiece_model import Kind, Piece, serialise

_ROWS = 2048
_SPREAD = 0.02
_CHATGLM3_PIECES = 64789
CHATGLM, GLM, LLAMA = "chatglm", "glm", "llama"


@dataclass(frozen=True, slots=True)
class Geometry:
    """Sizes of a decoder; ``layout`` says how its tensors are named and fused."""

    layout: str
    hidden: int
    feed_forward: int
    layers: int
    heads: int
    key_heads: int
    vocabulary: int
    context: int = 8192

    @property
    def head_size(self) -> int:
        return self.hidden // self.heads

    @property
    def key_width(self) -> int:
        """Elements of a position's keys in one layer (and of its values)."""
        return self.key_heads * self.head_size

    def cache_elements(self, tokens: int) -> int:
        """Numbers in the keys and values of ``tokens`` positions, all layers."""
        return 2 * self.layers * self.key_width * tokens


_6B = Geometry(CHATGLM, 4096, 13696, 28, 32, 2, 65024)
_1B = Geometry(CHATGLM, 2048, 6144, 18, 16, 2, 65024)
GEOMETRIES = {
    "chatglm3-6b": _6B,
    "glm-6b": replace(_6B, layout=GLM),
    "chatglm3-1b": _1B,
    "glm-1b": replace(_1B, layout=GLM),
    "llama-1b": Geometry(LLAMA, 2048, 5632, 22, 32, 4, 32000),
    "llama-7b": Geometry(LLAMA, 4096, 11008, 32, 32, 32, 32000),
}


@dataclass(frozen=True, slots=True)
class Slot:
    """One tensor of a checkpoint: rows ``first_row`` onward of the tensor ``drawn_as``."""

    name: str
    shape: tuple[int, ...]
    drawn_as: str
    first_row: int = 0

    @property
    def size(self) -> int:
        """Bytes in FP16."""
        return 2 * int(np.prod(self.shape))


def slots(geometry: Geometry) -> Iterator[Slot]:
    """The tensors of a checkpoint, in file order."""
    names = _PUBLISHED if geometry.layout == CHATGLM else _NATIVE
    table = (geometry.vocabulary, geometry.hidden)
    yield Slot(names["embedding"], table, "embedding")
    for layer in range(geometry.layers):
        prefix = f"{names['layers']}.{layer}"
        yield from _attention(geometry, prefix, str(layer))
        yield from _feed_forward(geometry, prefix, str(layer))
    yield Slot(names["norm"], (geometry.hidden,), "norm")
    yield Slot(names["head"], table, "head")


_PUBLISHED = {
    "embedding": "transformer.embedding.word_embeddings.weight",
    "layers": "transformer.encoder.layers",
    "norm": "transformer.encoder.final_layernorm.weight",
    "head": "transformer.output_layer.weight",
}
_NATIVE = {
    "embedding": "model.embed_tokens.weight",
    "layers": "model.layers",
    "norm": "model.norm.weight",
    "head": "lm_head.weight",
}


def _attention(geometry: Geometry, prefix: str, layer: str) -> Iterator[Slot]:
    hidden, key_width = geometry.hidden, geometry.key_width
    drawn = f"{layer}.qkv"
    yield Slot(f"{prefix}.input_layernorm.weight", (hidden,), f"{layer}.norm1")
    if geometry.layout == CHATGLM:
        block = f"{prefix}.self_attention"
        rows = hidden + 2 * key_width
        yield Slot(f"{block}.query_key_value.weight", (rows, hidden), drawn)
        yield Slot(f"{block}.query_key_value.bias", (rows,), f"{drawn}.bias")
        yield Slot(f"{block}.dense.weight", (hidden, hidden), f"{layer}.out")
    else:
        block = f"{prefix}.self_attn"
        first = 0
        for part, rows in (("q", hidden), ("k", key_width), ("v", key_width)):
            yield Slot(f"{block}.{part}_proj.weight", (rows, hidden), drawn, first)
            if geometry.layout == GLM:
                yield Slot(f"{block}.{part}_proj.bias", (rows,), f"{drawn}.bias", first)
            first += rows
        yield Slot(f"{block}.o_proj.weight", (hidden, hidden), f"{layer}.out")
    yield Slot(f"{prefix}.post_attention_layernorm.weight", (hidden,), f"{layer}.norm2")


def _feed_forward(geometry: Geometry, prefix: str, layer: str) -> Iterator[Slot]:
    hidden, width = geometry.hidden, geometry.feed_forward
    names = {
        CHATGLM: ("dense_h_to_4h", "dense_4h_to_h"),
        GLM: ("gate_up_proj", "down_proj"),
        LLAMA: ("", "down_proj"),
    }
    up, down = names[geometry.layout]
    if up:
        yield Slot(f"{prefix}.mlp.{up}.weight", (2 * width, hidden), f"{layer}.up")
    else:
        yield Slot(f"{prefix}.mlp.gate_proj.weight", (width, hidden), f"{layer}.up")
        yield Slot(f"{prefix}.mlp.up_proj.weight", (width, hidden), f"{layer}.up", width)
    yield Slot(f"{prefix}.mlp.{down}.weight", (hidden, width), f"{layer}.down")


def draw(slot: Slot, seed: int) -> Iterator[np.ndarray]:
    """The values of a tensor as FP16, in row blocks of up to ``_ROWS``."""
    if "norm" in slot.drawn_as:
        yield np.ones(slot.shape, dtype=np.float16)
        return
    rows, rest = slot.shape[0], slot.shape[1:]
    row = slot.first_row
    end = row + rows
    while row < end:
        block = row // _ROWS
        key = zlib.crc32(f"{seed} {slot.drawn_as} {block}".encode())
        values = np.random.Generator(np.random.SFC64(key)).standard_normal(
            (_ROWS, *rest), dtype=np.float32
        )
        stop = min(end, (block + 1) * _ROWS)
        part = values[row - block * _ROWS : stop - block * _ROWS] * np.float32(_SPREAD)
        yield part.astype(np.float16)
        row = stop


def write_safetensors(path: Path, chosen: list[Slot], seed: int) -> None:
    """Write one safetensors file: header length (8 bytes), JSON header, raw FP16 values."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    offset = 0
    for slot in chosen:
        header[slot.name] = {
            "dtype": "F16",
            "shape": list(slot.shape),
            "data_offsets": [offset, offset + slot.size],
        }
        offset += slot.size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)))
        file.write(text)
        for slot in chosen:
            for values in draw(slot, seed):
                file.write(values.tobytes())


def configuration(geometry: Geometry) -> dict[str, Any]:
    """``config.json`` in the words of the layout."""
    if geometry.layout == CHATGLM:
        return {
            "_name_or_path": "random-chatglm3",
            "model_type": "chatglm",
            "architectures": ["ChatGLMModel"],
            "torch_dtype": "float16",
            "hidden_size": geometry.hidden,
            "ffn_hidden_size": geometry.feed_forward,
            "num_layers": geometry.layers,
            "num_attention_heads": geometry.heads,
            "kv_channels": geometry.head_size,
            "multi_query_attention": True,
            "multi_query_group_num": geometry.key_heads,
            "padded_vocab_size": geometry.vocabulary,
            "vocab_size": geometry.vocabulary,
            "seq_length": geometry.context,
            "layernorm_epsilon": 1e-5,
            "rmsnorm": True,
            "post_layer_norm": True,
            "apply_residual_connection_post_layernorm": False,
            "add_bias_linear": False,
            "add_qkv_bias": True,
            "tie_word_embeddings": False,
            "eos_token_id": 2,
            "pad_token_id": 0,
        }
    config = {
        "model_type": geometry.layout,
        "architectures": ["GlmForCausalLM" if geometry.layout == GLM else "LlamaForCausalLM"],
        "torch_dtype": "float16",
        "hidden_size": geometry.hidden,
        "intermediate_size": geometry.feed_forward,
        "num_hidden_layers": geometry.layers,
        "num_attention_heads": geometry.heads,
        "num_key_value_heads": geometry.key_heads,
        "head_dim": geometry.head_size,
        "vocab_size": geometry.vocabulary,
        "max_position_embeddings": geometry.context,
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "hidden_act": "silu",
        "tie_word_embeddings": False,
        "attention_bias": geometry.layout == GLM,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 0,
    }
    if geometry.layout == GLM:
        config["partial_rotary_factor"] = 0.5
    return config


def write_sentencepiece(folder: Path) -> None:
    """A ``tokenizer.model`` of bytes and unused pieces, as long as ChatGLM3's."""
    pieces = [Piece("<unk>", 0.0, Kind.UNKNOWN)]
    pieces += [Piece(text, 0.0, Kind.CONTROL) for text in ("<s>", "</s>")]
    pieces += [Piece(f"<0x{byte:02X}>", 0.0, Kind.BYTE) for byte in range(256)]
    pieces += [Piece(f"⟨{at}⟩", -float(at)) for at in range(len(pieces), _CHATGLM3_PIECES)]
    (folder / "tokenizer.model").write_bytes(serialise(pieces, add_dummy_prefix=True))


def write_tokenizer(folder: Path, vocabulary: int) -> None:
    """A byte-level tokenizer without merges whose vocabulary is as long as the model's."""
    special = ["<pad>", "<s>", "</s>"]
    tokens = special + sorted(ByteLevel.alphabet())
    tokens += [f"⟨{index}⟩" for index in range(len(tokens), vocabulary)]
    tokenizer = Tokenizer(BPE({token: index for index, token in enumerate(tokens)}, []))
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    tokenizer.decoder = ByteLevelDecoder()
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in special])
    tokenizer.save(str(folder / "tokenizer.json"))
    facts = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "pad_token": "<pad>",
        "bos_token": "<s>",
        "eos_token": "</s>",
        "clean_up_tokenization_spaces": False,
        "chat_template": "{% for message in messages %}{{ message['content'] }}{% endfor %}",
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(facts), encoding="utf-8")
    ends = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
    (folder / "generation_config.json").write_text(json.dumps(ends), encoding="utf-8")


def write_checkpoint(
    folder: Path, geometry: Geometry, seed: int = 0, shard_bytes: int = 2 * 2**30
) -> None:
    """Write config, tokenizer, shards of about ``shard_bytes`` and their index."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(configuration(geometry), indent=2)
    (folder / "config.json").write_text(text, encoding="utf-8")
    if geometry.layout == CHATGLM:
        write_sentencepiece(folder)
    else:
        write_tokenizer(folder, geometry.vocabulary)
    shards: list[list[Slot]] = [[]]
    size = 0
    for slot in slots(geometry):
        if shards[-1] and size + slot.size > shard_bytes:
            shards.append([])
            size = 0
        shards[-1].append(slot)
        size += slot.size
    where: dict[str, str] = {}
    for number, shard in enumerate(shards, 1):
        name = f"model-{number:05d}-of-{len(shards):05d}.safetensors"
        write_safetensors(folder / name, shard, seed)
        where |= {slot.name: name for slot in shard}
    total = sum(slot.size for shard in shards for slot in shard)
    index = {"metadata": {"total_size": total}, "weight_map": where}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")


def main() -> None:
    """Read the command line and write a checkpoint."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("geometry", choices=GEOMETRIES)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--layers", type=int, help="fewer layers than the geometry's, to try out")
    options = parser.parse_args()
    geometry = GEOMETRIES[options.geometry]
    if options.layers:
        geometry = replace(geometry, layers=options.layers)
    write_checkpoint(options.folder, geometry, options.seed)


if __name__ == "__main__":
    main()
