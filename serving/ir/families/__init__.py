"""One module a family: its configuration and tensor names → `serving.ir.architecture`."""

from __future__ import annotations

from collections.abc import Callable

from serving.ir.architecture import Architecture, Config
from serving.ir.families import chatglm, chatglm2, hybrid, latent, llama, mixtures

KNOWN: dict[str, Callable[[Config, str], Architecture]] = {
    "chatglm": chatglm.describe,
    "chatglm2": chatglm2.describe,
    "chatglm3": chatglm2.describe,
    "glm4-chatglm": chatglm2.describe,
    "glm": llama.describe_glm,
    "glm4": llama.describe_glm,
    "llama": llama.describe,
    "qwen2": llama.describe,
    "qwen3": llama.describe,
    "qwen3_moe": mixtures.describe_qwen3,
    "glm4_moe": mixtures.describe_glm4,
    "glm4_moe_lite": latent.describe,
    "qwen3_5": hybrid.describe,
    "qwen3_5_text": hybrid.describe,
    "qwen3_5_moe": hybrid.describe,
    "qwen3_5_moe_text": hybrid.describe,
}
# GLM-4's tokenizer depends on who laid the checkpoint out, not on which of its graphs it is.
_TOKENIZERS = {
    "glm4-chatglm": "glm4",
    "glm4": "glm",
    "glm4_moe": "glm",
    "glm4_moe_lite": "glm",
    "qwen3_moe": "qwen3",
    "qwen3_5": "qwen3",
    "qwen3_5_text": "qwen3",
    "qwen3_5_moe": "qwen3",
    "qwen3_5_moe_text": "qwen3",
}
_WIDE_VOCABULARY = 100_000


def tokenizer_of(family: str) -> str:
    """Which family's tokenizer a family has."""
    return _TOKENIZERS.get(family, family)


def name_of(config: Config) -> str | None:
    """Which family a configuration belongs to, or None.

    ChatGLM-6B, ChatGLM2, ChatGLM3 and GLM-4 as published all say ``chatglm``.  The last has a wide
    vocabulary.  ChatGLM2 and 3 are one graph and differ in their chat format only: where nothing
    tells, ChatGLM3 is meant.
    """
    kind = config.get("model_type")
    if kind != "chatglm":
        return kind if isinstance(kind, str) and kind in KNOWN else None
    if "position_encoding_2d" in config or "inner_hidden_size" in config:
        return "chatglm"
    width = config.get("padded_vocab_size")
    if isinstance(width, int) and width > _WIDE_VOCABULARY:
        return "glm4-chatglm"
    return "chatglm2" if "chatglm2" in str(config.get("_name_or_path", "")).lower() else "chatglm3"
