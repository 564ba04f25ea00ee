"""LoRA over a base, as PEFT has it, and the folder that is left in the end."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import torch

from assistant.training.lm.settings import LmSettings
from assistant.training.optimisation import TrainingInvalid
from assistant.training.state import seed, write_atomically
from assistant.whole_file import whole
from serving.ir.architecture import ArchitectureUnknown
from serving.ir.base_shape import base_digest
from serving.ir.checkpoint import CheckpointError
from serving.ir.checkpoint_opening import open_checkpoint
from serving.ir.description import describe
from serving.ir.low_rank import BASE_KEY

CONFIG_FILE, WEIGHTS_FILE = "adapter_config.json", "adapter_model.safetensors"


def adapted(model: Any, settings: LmSettings) -> Any:
    """The model with a fresh adapter; only that is trained.

    Raises:
        TrainingInvalid: the model has none of the target modules.
    """
    from peft import LoraConfig, get_peft_model

    seed(settings.seed)
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        target_modules=list(settings.targets),
        use_dora=settings.dora,
        task_type="CAUSAL_LM",
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = get_peft_model(model, config)
    except ValueError as error:
        raise TrainingInvalid(
            f"底座中没有这些模块：{'、'.join(settings.targets)}，请用 --target 指定。"
            "(The base has none of these modules; name others with --target.)"
        ) from error
    if settings.checkpointing:
        made.gradient_checkpointing_enable({"use_reentrant": False})
        made.enable_input_require_grads()
    return made


def trained(model: Any) -> dict[str, Any]:
    """What is trained, by name."""
    return {name: value for name, value in model.named_parameters() if value.requires_grad}


def restore(model: Any, weights: dict[str, Any]) -> None:
    """Give the adapter ``weights``, as `trained` gave them."""
    with torch.no_grad():
        for name, value in trained(model).items():
            value.copy_(weights[name])


def write(model: Any, folder: Path, base: Path) -> None:
    """The folder as PEFT writes it; it appears with its weights last."""
    from peft import get_peft_model_state_dict

    folder.mkdir(parents=True, exist_ok=True)
    config = model.peft_config["default"]
    settings = {name: _plain(value) for name, value in config.to_dict().items()}
    # The name alone: a path tells of the machine that it was trained on.
    settings["base_model_name_or_path"] = base.resolve().name
    settings["inference_mode"] = True
    with whole(folder / CONFIG_FILE) as partial:
        partial.write_text(json.dumps(settings, ensure_ascii=False, indent=1) + "\n", "utf-8")
    tensors = get_peft_model_state_dict(model)
    # One entry at most: of several the order in the file is of chance, and runs would differ.
    write_atomically(folder / WEIGHTS_FILE, tensors, _base_hash(base) or {"format": "pt"})


def _base_hash(base: Path) -> dict[str, str]:
    """What the adapter fits; nothing for a base that is not served here."""
    try:
        checkpoint = open_checkpoint(base)
        return {BASE_KEY: base_digest(describe(checkpoint.config))}
    except (CheckpointError, ArchitectureUnknown):
        return {}


def _plain(value: Any) -> Any:
    if isinstance(value, set):
        return sorted(value)
    if value is None or isinstance(value, bool | int | float | str | list | dict):
        return value
    return getattr(value, "value", str(value))
