"""A GGUF model of a few hundred kilobytes with random weights, for tests without a download."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter
from gguf.quants import quantize

LAYERS, HEADS, WIDTH, INNER, CONTEXT = 2, 2, 64, 128, 4096
CONTROL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
# Tokens that are never likely: those of control, so that an answer goes on until its limit or its
# grammar's end, and bytes that can begin what looks like a character of UTF-8 and is none.
SILENT = [0xC0, 0xC1, 0xE0, 0xED, *range(0xF0, 0x100), *range(256, 256 + len(CONTROL))]
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def byte_symbols() -> list[str]:
    """The 256 printable stand-ins for bytes that GPT-2's tokenizer uses, in byte order."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    spare = iter(range(256, 512))
    return [chr(byte if byte in plain else next(spare)) for byte in range(256)]


def write(
    path: Path,
    kind: GGMLQuantizationType = GGMLQuantizationType.Q5_0,
    template: str = TEMPLATE,
) -> Path:
    """Write the model; its matrices are of type ``kind``, its chat template is ``template``."""
    random = np.random.default_rng(7)
    tokens = [*byte_symbols(), *CONTROL]
    # GenAI's reader wants a merge; no text of the tests holds these two bytes together.
    tokens.append(tokens[1] + tokens[2])
    writer = GGUFWriter(str(path), "qwen2")
    writer.add_context_length(CONTEXT)
    writer.add_block_count(LAYERS)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_rope_freq_base(10000.0)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_file_type(8)
    writer.add_quantization_version(2)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_token_types([1] * 256 + [3] * len(CONTROL) + [1])
    writer.add_token_merges([f"{tokens[1]} {tokens[2]}"])
    writer.add_bos_token_id(256)
    writer.add_eos_token_id(258)
    writer.add_pad_token_id(256)
    writer.add_add_bos_token(False)
    writer.add_chat_template(template)

    def matrix(name: str, rows: int, columns: int, silent: list[int] | None = None) -> None:
        data = random.normal(0, 0.4, (rows, columns)).astype(np.float32)
        data[silent or []] = 0
        writer.add_tensor(name, quantize(data, kind), raw_dtype=kind)

    def vector(name: str, size: int, value: float) -> None:
        writer.add_tensor(name, np.full(size, value, dtype=np.float32))

    matrix("token_embd.weight", len(tokens), WIDTH)
    vector("output_norm.weight", WIDTH, 1.0)
    matrix("output.weight", len(tokens), WIDTH, SILENT)
    for layer in range(LAYERS):
        stem = f"blk.{layer}."
        for part in ("attn_q", "attn_k", "attn_v"):
            matrix(f"{stem}{part}.weight", WIDTH, WIDTH)
            vector(f"{stem}{part}.bias", WIDTH, 0.0)
        matrix(f"{stem}attn_output.weight", WIDTH, WIDTH)
        matrix(f"{stem}ffn_gate.weight", INNER, WIDTH)
        matrix(f"{stem}ffn_up.weight", INNER, WIDTH)
        matrix(f"{stem}ffn_down.weight", WIDTH, INNER)
        vector(f"{stem}attn_norm.weight", WIDTH, 1.0)
        vector(f"{stem}ffn_norm.weight", WIDTH, 1.0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
