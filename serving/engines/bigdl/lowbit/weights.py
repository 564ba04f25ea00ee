"""Checkpoint → low-bit file → model.

The checkpoint is read one tensor at a time, quantised by BigDL-LLM's own code and written out, so
building needs the memory of one tensor; the model then lies in the mapped file.  The file is in the
safetensors format: BigDL-LLM's own ``save_low_bit`` writes a pickle, which can run code when read.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

import torch
from safetensors import SafetensorError, safe_open

from .service import LoadFailed

Progress = Callable[[int, int], None]

_KINDS = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.uint8: "U8"}
_ALIGNMENT = 64
_BLOCK = 64
_EMBEDDING = "model.embed_tokens.weight"


class LowBit:
    """BigDL-LLM's layers and quantiser, under the name that the package has."""

    def __init__(self, package: str, low_bit: str) -> None:
        self._layers = import_module(f"{package}.transformers.low_bit_linear")
        self._convert = import_module(f"{package}.transformers.convert")
        self._kind: int = import_module(f"{package}.ggml.quantize").ggml_tensor_qtype[low_bit]

    def try_kernel(self) -> None:
        """One small product; ends the process where the processor cannot run the library."""
        data = self.quantized(torch.ones(_BLOCK, _BLOCK))
        self._layers.ggml_matmul_src1_x_src0_t(
            data, torch.ones(1, _BLOCK), torch.Size((_BLOCK, _BLOCK)), self._kind
        )

    def hollow(self, config: Mapping[str, Any]) -> Any:
        """The model with low-bit layers and no weights.

        Raises:
            LoadFailed: a matrix is not as wide as it has to be.
        """
        from accelerate import init_empty_weights
        from transformers import AutoConfig, AutoModelForCausalLM

        fields = {key: value for key, value in config.items() if key != "model_type"}
        described = AutoConfig.for_model(config["model_type"], **fields)
        with init_empty_weights():
            model = AutoModelForCausalLM.from_config(
                described, attn_implementation="sdpa", torch_dtype=torch.float32
            )
        for path, module in model.named_modules():
            if isinstance(module, torch.nn.Linear) and module.in_features % _BLOCK:
                raise LoadFailed(
                    f"{path}.weight has {module.in_features} columns; BigDL-LLM packs them in "
                    f"blocks of {_BLOCK}."
                )
        return self._convert.ggml_convert_low_bit(
            model, self._kind, optimize_model=False, convert_shape_only=True, device="meta"
        )

    def quantized(self, weight: torch.Tensor) -> torch.Tensor:
        """A float32 matrix as BigDL-LLM packs it, uint8 (bytes,)."""
        data: torch.Tensor = self._layers.ggml_convert_qtype(weight, self._kind, device="cpu")
        return data

    def is_packed(self, module: Any, name: str) -> bool:
        """Whether a module's parameter is a low-bit weight."""
        return name == "weight" and isinstance(module, self._layers.LowBitLinear)

    def parameter(self, module: Any, packed: torch.Tensor) -> Any:
        """A low-bit weight, ready to be put into its module."""
        shape = torch.Size((module.out_len, module.in_len))
        return self._layers.FP4Params(
            packed, requires_grad=False, quantized=True, _shape=shape, qtype=self._kind
        )


def load(low_bit: LowBit, order: Mapping[str, Any], progress: Progress) -> Any:
    """The model of ``order`` (see `serving.engines.bigdl.engine`), from its low-bit file if that is fresh.

    Raises:
        LoadFailed: a tensor is missing or has a wrong shape, or the disk is full.
    """
    model = low_bit.hollow(order["config"])
    file = Path(order["file"])
    if not _fresh(file, order["fingerprint"]):
        _build(model, low_bit, order, file, progress)
    with safe_open(file, framework="pt") as stored:
        for full, module, name in _parameters(model):
            tensor = stored.get_tensor(full)
            module._parameters[name] = (
                low_bit.parameter(module, tensor)
                if low_bit.is_packed(module, name)
                else torch.nn.Parameter(tensor, requires_grad=False)
            )
    # The embedding stays as the checkpoint has it; everything behind it computes in float32.
    model.get_input_embeddings().register_forward_hook(lambda module, given, found: found.float())
    return model.eval()


def _parameters(model: Any) -> Iterator[tuple[str, Any, str]]:
    for path, module in model.named_modules():
        for name, parameter in list(module._parameters.items()):
            if parameter is not None:
                yield f"{path}.{name}", module, name


def _fresh(file: Path, fingerprint: str) -> bool:
    if not file.is_file():
        return False
    try:
        with safe_open(file, framework="pt") as stored:
            return bool((stored.metadata() or {}).get("bedside") == fingerprint)
    except (SafetensorError, OSError):
        return False


def _build(
    model: Any, low_bit: LowBit, order: Mapping[str, Any], file: Path, progress: Progress
) -> None:
    header: dict[str, Any] = {"__metadata__": {"bedside": order["fingerprint"]}}
    offset = 0
    for full, module, name in _parameters(model):
        kind, shape, size = _stored(full, module, name, low_bit, order)
        header[full] = {"dtype": kind, "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    if shutil.disk_usage(file.parent).free < offset + 2**20:
        raise LoadFailed(
            f"The disk is too full: the low-bit model needs {offset / 2**30:.1f} GiB in "
            f"{file.parent}."
        )
    draft = file.with_suffix(".draft")
    try:
        with draft.open("wb") as out:
            _write(out, header, model, low_bit, order, lambda done: progress(done, offset))
            out.flush()
            os.fsync(out.fileno())
        draft.replace(file)
    except OSError as error:
        raise LoadFailed(f"{draft} cannot be written: {error.strerror}.") from error
    finally:
        draft.unlink(missing_ok=True)


def _write(
    out: BinaryIO,
    header: Mapping[str, Any],
    model: Any,
    low_bit: LowBit,
    order: Mapping[str, Any],
    progress: Callable[[int], None],
) -> None:
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-(len(text) + 8) % _ALIGNMENT)
    out.write(len(text).to_bytes(8, "little") + text)
    for full, module, name in _parameters(model):
        weight = _read(full, module, name, low_bit, order)
        if low_bit.is_packed(module, name):
            weight = low_bit.quantized(weight.float().contiguous())
        elif full != _EMBEDDING:
            weight = weight.float()
        out.write(memoryview(weight.contiguous().view(torch.uint8).flatten().numpy()))
        progress(header[full]["data_offsets"][1])


def _stored(
    full: str, module: Any, name: str, low_bit: LowBit, order: Mapping[str, Any]
) -> tuple[str, list[int], int]:
    """Type, shape and bytes of a parameter in the low-bit file."""
    found = module._parameters[name]
    if low_bit.is_packed(module, name):
        return "U8", list(found.shape), found.numel()
    kind = "F32"
    if full == _EMBEDDING:
        path, tensor, _, _ = _place(full, order)
        with safe_open(path, framework="pt") as stored:
            kind = str(stored.get_slice(tensor).get_dtype())
        if kind not in _KINDS.values():
            raise LoadFailed(f"{path}: the tensor {tensor} is of type {kind}, no plain weight.")
    return kind, list(found.shape), found.numel() * (4 if kind == "F32" else 2)


def _place(full: str, order: Mapping[str, Any]) -> tuple[str, str, int, int | None]:
    try:
        path, tensor, start, stop = order["tensors"][full]
    except KeyError as error:
        raise LoadFailed(f"The checkpoint lacks the tensor {full}.") from error
    return path, tensor, start, stop


def _read(
    full: str, module: Any, name: str, low_bit: LowBit, order: Mapping[str, Any]
) -> torch.Tensor:
    path, tensor, start, stop = _place(full, order)
    found = module._parameters[name]
    packed = low_bit.is_packed(module, name)
    expected = (module.out_len, module.in_len) if packed else tuple(found.shape)
    try:
        with safe_open(path, framework="pt") as stored:
            weight: torch.Tensor = stored.get_slice(tensor)[start:stop]
    except (SafetensorError, OSError) as error:
        raise LoadFailed(f"{path}: the tensor {tensor} cannot be read.") from error
    if tuple(weight.shape) != expected:
        raise LoadFailed(
            f"{path}: the tensor {tensor} gives {list(weight.shape)} for {full}, but the "
            f"configuration asks for {list(expected)}."
        )
    return weight
