"""The model that is tuned: a Hugging Face folder or a GGUF file, and how much memory it needs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import torch

from assistant.training.lm.gguf_base import open_gguf
from assistant.training.lm.settings import LmSettings
from assistant.training.lm.tokens import Sequence_
from assistant.training.optimisation import Numbers, TrainingInvalid, device
from serving.hardware import cpu

_WIDE = 256
_OPTIMIZER_BYTES = 16


@dataclass(frozen=True, slots=True)
class Base:
    """``fingerprint``: SHA-256 over the names and shapes of all tensors."""

    model: Any
    tokenizer: Any
    fingerprint: str
    numbers: str


def open_base(path: Path, numbers: Numbers) -> Base:
    """The model and its tokenizer; frozen.

    Raises:
        TrainingInvalid: it is no model that can be tuned here.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    _look(path)
    try:
        if path.suffix == ".gguf":
            model, tokenizer = open_gguf(path)
        else:
            tokenizer = AutoTokenizer.from_pretrained(path, local_files_only=True)
            model = AutoModelForCausalLM.from_pretrained(
                path, local_files_only=True, dtype=torch.float32, attn_implementation="sdpa"
            )
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        raise TrainingInvalid(
            f"{path} 不能作为训练的底座：{type(error).__name__}。需要 Hugging Face 格式的文件夹"
            "（config.json、safetensors、tokenizer.json）或 qwen2 的 GGUF 文件。"
            "(No base that can be trained: a Hugging Face folder or a qwen2 GGUF file is needed.)"
        ) from error
    shapes = {name: list(value.shape) for name, value in model.state_dict().items()}
    width = int(model.config.hidden_size)
    bf16 = numbers == "bf16" or (numbers == "auto" and bfloat16_is_quick(width))
    if bf16:
        model = model.to(torch.bfloat16)
    model.config.use_cache = False
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    return Base(model.to(device()), tokenizer, _fingerprint(shapes), "bf16" if bf16 else "f32")


def _look(path: Path) -> None:
    """Raise `TrainingInvalid` where it is plainly no base."""
    if path.is_file() and path.suffix == ".gguf":
        return
    if not (path / "config.json").is_file():
        raise TrainingInvalid(
            f"{path} 中没有 config.json：需要 Hugging Face 格式的文件夹。"
            "(There is no config.json: a folder in the Hugging Face layout is needed.)"
        )
    if (path / "adapter_config.json").is_file():
        raise TrainingInvalid(f"{path} 是适配器，不是底座。(This is an adapter, not a base.)")


def _fingerprint(shapes: dict[str, list[int]]) -> str:
    described = json.dumps(sorted(shapes.items()), separators=(",", ":"))
    return hashlib.sha256(described.encode()).hexdigest()


def bfloat16_is_quick(width: int) -> bool:
    """Whether products of this width are quicker in bfloat16: on a GPU, and on processors that
    multiply in it (AMX, AVX-512 BF16), where matrices are not tiny.

    Told by the processor and not by a measurement, so that a run that is gone on with computes as
    it began.
    """
    if device().type != "cpu":
        return True
    return width >= _WIDE and bool({"amx_bf16", "avx512_bf16"} & set(cpu.flags()))


def memory_needed(model: Any, settings: LmSettings, rows: Sequence[tuple[Sequence_, ...]]) -> int:
    """Bytes at the height of a step, roughly: weights, optimiser, what is kept for the way back.

    What a layer keeps is after Korthikanti et al. (2022), without what its attention kernel makes
    anew; logits are made where a token is learned.
    """
    config = model.config
    size = 2 if next(model.parameters()).dtype == torch.bfloat16 else 4
    weights = sum(value.numel() for value in model.parameters()) * size
    width, layers = int(config.hidden_size), int(config.num_hidden_layers)
    inner = int(getattr(config, "intermediate_size", 4 * width))
    longest = max((sum(len(part.ids) for part in row) for row in rows), default=0)
    tokens = max(settings.tokens, longest)
    seen = sum(len(part.ids) for row in rows for part in row)
    learned = sum(int(part.learned.sum()) for row in rows for part in row)
    adapted = [
        module.weight.shape
        for name, module in model.named_modules()
        if name.rpartition(".")[2] in settings.targets
    ]
    changed = settings.rank * sum(sum(shape) for shape in adapted)
    a_layer = tokens * (10 * width + 4 * inner) * size
    if size < 4:
        # The adapter keeps what it multiplies in float32, beside what the base keeps.
        a_layer += tokens * sum(shape[1] for shape in adapted) * 4 // layers
    kept = tokens * width * size * layers + a_layer if settings.checkpointing else a_layer * layers
    logits = 3 * 4 * int(config.vocab_size) * tokens * learned // max(1, seen)
    return int(weights + changed * _OPTIMIZER_BYTES + kept + logits)


def refuse_too_large(needed: int) -> None:
    """Raise `TrainingInvalid` where a processor's memory does not hold ``needed`` bytes."""
    free = psutil.virtual_memory().available
    if device().type == "cpu" and needed > free:
        raise TrainingInvalid(
            f"约需内存 {needed / 2**30:.1f} GiB，可用 {free / 2**30:.1f} GiB：请减小 --tokens 或 "
            f"加上 --checkpointing。(About {needed / 2**30:.1f} GiB are needed and "
            f"{free / 2**30:.1f} are free: lower --tokens or add --checkpointing.)"
        )
