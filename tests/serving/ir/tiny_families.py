"""What a published checkpoint of each family holds: its config.json and its tensors.

The layouts are those of the checkpoints as their authors (or Hugging Face's converted
repositories) publish them, with other sizes. A tensor is described by its name, its shape and the
role that decides how random values for it are drawn.
"""

from __future__ import annotations

from collections.abc import Callable

from tiny_decoders import glm, glm4_hf, glm4_moe, glm4_moe_lite, llama, qwen2, qwen3, qwen3_moe
from tiny_hybrids import qwen3_5, qwen3_5_moe
from tiny_published_glm import chatglm, chatglm2, chatglm3, glm4
from tiny_tensors import Config, Geometry, TensorSpec

FAMILIES: dict[str, Callable[[Geometry], tuple[Config, list[TensorSpec]]]] = {
    "chatglm2": chatglm2,
    "chatglm3": chatglm3,
    "glm4": glm4,
    "glm": glm,
    "glm4_hf": glm4_hf,
    "qwen2": qwen2,
    "qwen3": qwen3,
    "qwen3_moe": qwen3_moe,
    "glm4_moe": glm4_moe,
    "glm4_moe_lite": glm4_moe_lite,
    "qwen3_5": qwen3_5,
    "qwen3_5_moe": qwen3_5_moe,
    "llama": llama,
    "chatglm": chatglm,
}
