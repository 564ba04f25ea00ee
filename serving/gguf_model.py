"""GGUF file → OpenVINO folder, once, when a model is prepared.

OpenVINO GenAI's GGUF reader knows a few tensor types only, so tensors of any other type are
rewritten first (to Q8_0; one-dimensional ones to F32).  The conversion runs in a child process,
so that its memory is returned.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from serving.manifest import ModelInvalid

Progress = Callable[[int, int, str], None]

READER_TYPES = frozenset({"F32", "F16", "Q4_0", "Q4_1", "Q8_0", "Q4_K", "Q6_K"})
_END_TOKENS = frozenset({"<|endoftext|>", "<|im_end|>", "<|eot_id|>", "<|end_of_text|>", "</s>"})
_CONTROL = 3
_MARK = "bedside-progress"
_log = logging.getLogger("bedside.serving.gguf_model")


def metadata(source: Path) -> dict[str, Any]:
    """What a model folder needs to know of a GGUF file.

    Returns ``architecture``, ``context_length``, ``control_tokens`` and ``end_token_ids``.

    Raises:
        ModelInvalid: the file is no GGUF or lacks its architecture.
    """
    from gguf import GGUFReader

    try:
        fields = GGUFReader(str(source)).fields
        architecture = str(fields["general.architecture"].contents())
        context = int(fields[f"{architecture}.context_length"].contents())
        tokens = fields["tokenizer.ggml.tokens"].contents()
        kinds = fields["tokenizer.ggml.token_type"].contents()
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise ModelInvalid(f"{source.name} is not a complete GGUF model file.") from error
    control = {index: tokens[index] for index, kind in enumerate(kinds) if kind == _CONTROL}
    return {
        "architecture": architecture,
        "context_length": context,
        "control_tokens": tuple(sorted(control.values())),
        "end_token_ids": tuple(i for i, token in control.items() if token in _END_TOKENS),
    }


def rewrite(source: Path, target: Path, progress: Progress) -> bool:
    """Copy ``source`` to ``target`` with every tensor in a type that the reader knows.

    Works tensor by tensor, so memory stays near the largest one.  Returns False, and writes
    nothing, when all types are known already.
    """
    from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter
    from gguf.quants import dequantize, quant_shape_to_byte_shape, quantize

    reader = GGUFReader(str(source))
    if all(tensor.tensor_type.name in READER_TYPES for tensor in reader.tensors):
        return False
    writer = GGUFWriter(str(target), arch=str(reader.fields["general.architecture"].contents()))
    for key, entry in reader.fields.items():
        if key.startswith("GGUF.") or key == "general.architecture":
            continue
        kind = entry.types[0]
        inner = entry.types[-1] if kind == GGUFValueType.ARRAY else None
        writer.add_key_value(key, entry.contents(), kind, sub_type=inner)

    kinds = []
    for tensor in reader.tensors:
        kind = tensor.tensor_type
        shape = tuple(int(size) for size in reversed(tensor.shape))
        if kind.name not in READER_TYPES:
            flat = len(shape) == 1 or shape[-1] % 32
            kind = GGMLQuantizationType.F32 if flat else GGMLQuantizationType.Q8_0
        stored = tensor.data.shape
        if kind != tensor.tensor_type:
            plain = kind == GGMLQuantizationType.F32
            stored = shape if plain else quant_shape_to_byte_shape(shape, kind)
        size = _bytes(stored, kind.name)
        dtype = tensor.data.dtype if kind == tensor.tensor_type else _dtype(kind.name)
        writer.add_tensor_info(tensor.name, stored, dtype, size, raw_dtype=kind)
        kinds.append(kind)

    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for done, (tensor, kind) in enumerate(zip(reader.tensors, kinds, strict=True), start=1):
        data = tensor.data
        if kind != tensor.tensor_type:
            data = quantize(dequantize(data, tensor.tensor_type), kind)
        writer.write_tensor_data(data)
        progress(done, len(kinds), "rewriting tensors")
    writer.close()
    return True


def _dtype(kind: str) -> Any:
    import numpy as np

    return np.dtype(np.float32 if kind == "F32" else np.uint8)


def _bytes(shape: tuple[int, ...], kind: str) -> int:
    import math

    return math.prod(shape) * {"F32": 4, "F16": 2}.get(kind, 1)


def convert(source: Path, target: Path, progress: Progress) -> None:
    """Write model and tokenizer as OpenVINO files into the folder ``target``."""
    import openvino_genai

    from serving import tokenizer_limit

    context = metadata(source)["context_length"]
    readable = target / "model.gguf"
    if not rewrite(source, readable, progress):
        # GenAI writes beside the file that it reads, so the file must seem to lie in `target`.
        readable.symlink_to(source.resolve())
    progress(0, 2, "converting the tokenizer")
    tokenizer = openvino_genai.Tokenizer(str(readable), enable_save_ov_model=True)
    progress(1, 2, "converting the model")
    scheduler = openvino_genai.SchedulerConfig()
    scheduler.num_kv_blocks = 16
    openvino_genai.ContinuousBatchingPipeline(
        str(readable), tokenizer, scheduler, "CPU", enable_save_ov_model=True
    )
    readable.unlink()
    tokenizer_limit.lift(target, max(context, 2**20))
    progress(2, 2, "converting the model")


def convert_in_child(source: Path, target: Path, progress: Progress) -> None:
    """`convert` in a process of its own.

    Raises:
        ModelInvalid: the conversion failed; the message ends with the reader's own words.
    """
    command = [sys.executable, "-m", "serving.gguf_model", str(source), str(target)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as child:
        assert child.stdout is not None
        tail: list[str] = []
        try:
            for line in child.stdout:
                if line.startswith(_MARK):
                    _, done, total, what = line.rstrip("\n").split("\t")
                    progress(int(done), int(total), what)
                elif line.strip():
                    tail = [*tail[-7:], line.strip()]
        except BaseException:
            child.kill()
            raise
    if child.returncode != 0:
        _log.error("conversion ended with status %d", child.returncode)
        raise ModelInvalid(
            f"{source.name} cannot be converted to OpenVINO (GGUF architectures that can: llama, "
            f"qwen2, qwen3). The converter said: {' / '.join(tail[-3:]) or 'nothing'}"
        )


def versions() -> dict[str, str]:
    """The converter's version, for the manifest."""
    return {"openvino_genai": importlib.metadata.version("openvino-genai")}


def _main() -> None:
    parser = argparse.ArgumentParser(description="Convert a GGUF file to an OpenVINO folder.")
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    arguments = parser.parse_args()

    def report(done: int, total: int, what: str) -> None:
        print(_MARK, done, total, what, sep="\t", flush=True)

    convert(arguments.source, arguments.target, report)


if __name__ == "__main__":
    _main()
