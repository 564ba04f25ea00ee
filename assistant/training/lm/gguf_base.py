"""A base out of a GGUF file: its tensors as the conversion reads them, its tokenizer rebuilt.

Transformers reads such files too, by another dequantisation; an adapter has to fit the weights that
it is merged into later, so both come from `serving.ir`.  Of qwen2 alone: files of Llama keep rows
of queries and keys in another order.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from assistant.training.optimisation import TrainingInvalid
from serving.ir.checkpoint import CheckpointError
from serving.ir.gguf_checkpoint import GgufCheckpoint
from serving.ir.gguf_tokens import QWEN2_PATTERN, tokenizer_fields
from serving.ir.token_set import TokenizerError

_CONTROL, _USER = 3, 4
_KEPT = (
    "vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
    "num_key_value_heads", "max_position_embeddings", "rms_norm_eps", "tie_word_embeddings",
)  # fmt: skip


def open_gguf(path: Path) -> tuple[Any, Any]:
    """Model (float32) and tokenizer.

    Raises:
        TrainingInvalid: it is no file of a qwen2 model, or has no byte-level tokenizer.
    """
    try:
        checkpoint = GgufCheckpoint(path)
        kind = checkpoint.config["model_type"]
        if kind != "qwen2" or checkpoint.config.get("rope_scaling"):
            raise TrainingInvalid(
                f"{path} 的架构是 {kind}：GGUF 中只有 qwen2 可训练，其余请用 Hugging Face 文件夹。"
                "(Of GGUF files only those of qwen2 can be trained; take the Hugging Face folder.)"
            )
        return _model(checkpoint), _tokenizer(tokenizer_fields(path, checkpoint.metadata), path)
    except (CheckpointError, TokenizerError) as error:
        raise TrainingInvalid(str(error)) from error


def _model(checkpoint: GgufCheckpoint) -> Any:
    from transformers import Qwen2Config, Qwen2ForCausalLM

    config = Qwen2Config(
        **{name: checkpoint.config[name] for name in _KEPT},
        rope_parameters={"rope_type": "default", "rope_theta": checkpoint.config["rope_theta"]},
        attn_implementation="sdpa",
    )
    with torch.device("meta"):
        model = Qwen2ForCausalLM(config)
    model.to_empty(device="cpu")
    tied = bool(config.tie_word_embeddings)
    for name, value in model.state_dict().items():
        if not (tied and name == "lm_head.weight"):
            with torch.no_grad():
                value.copy_(torch.tensor(checkpoint.read(name)))
    # What is no tensor of the file (rotary frequencies) was never filled on the meta device.
    fresh = type(model.model.rotary_emb)(config)
    model.model.rotary_emb = fresh
    model.tie_weights()
    return model


def _tokenizer(fields: dict[str, Any], path: Path) -> Any:
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers
    from tokenizers import pre_tokenizers as pre
    from transformers import PreTrainedTokenizerFast

    if fields["ggml.model"] != "gpt2":
        raise TrainingInvalid(
            f"{path} 的分词器不是字节级 BPE，请用 Hugging Face 文件夹。"
            "(Its tokenizer is no byte-level BPE; take the Hugging Face folder.)"
        )
    tokens = [str(token) for token in fields["ggml.tokens"]]
    parts = (str(merge).partition(" ") for merge in fields["ggml.merges"])
    merges = [(left, right) for left, _, right in parts]
    made = Tokenizer(models.BPE({token: at for at, token in enumerate(tokens)}, merges))
    made.normalizer = normalizers.NFC()
    made.pre_tokenizer = pre.Sequence(
        [
            pre.Split(Regex(QWEN2_PATTERN), "isolated"),
            pre.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    made.decoder = decoders.ByteLevel()
    kinds = fields.get("ggml.token_type") or []
    own = [token for token, kind in zip(tokens, kinds, strict=False) if kind in (_CONTROL, _USER)]
    made.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in own])

    def named(key: str) -> str | None:
        place = fields.get(f"ggml.{key}_token_id")
        return None if place is None else tokens[int(place)]

    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        eos_token=named("eos"),
        pad_token=named("padding") or named("eos"),
        chat_template=fields.get("chat_template"),
    )
