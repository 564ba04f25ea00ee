"""Which kind of checkpoint a path is."""

from __future__ import annotations

from pathlib import Path

from serving.ir.checkpoint import Checkpoint, CheckpointError, files_like
from serving.ir.coded_checkpoint import CodedCheckpoint, method_of
from serving.ir.gguf_checkpoint import GgufCheckpoint
from serving.ir.safetensors_checkpoint import SafetensorsCheckpoint

_PICKLES = ("pytorch_model*.bin", "*.pt", "*.pth", "model*.ckpt")


def open_checkpoint(path: Path) -> Checkpoint:
    """A Hugging Face folder (safetensors) or a GGUF file.

    Raises:
        CheckpointError: it is neither, or is incomplete.
    """
    if path.is_file() and path.suffix == ".gguf":
        return GgufCheckpoint(path)
    if not path.exists():
        raise CheckpointError(f"There is no {path}.")
    if not path.is_dir():
        raise CheckpointError(
            f"{path} is neither a folder with a model in the Hugging Face layout nor a .gguf file."
        )
    if files_like(path, "*.safetensors"):
        found = SafetensorsCheckpoint(path)
        return CodedCheckpoint(found) if method_of(found.config) else found
    files = files_like(path, "*.gguf")
    if len(files) == 1:
        return GgufCheckpoint(files[0])
    if files:
        raise CheckpointError(f"{path} holds several GGUF files; name the one to convert.")
    if any(files_like(path, pattern) for pattern in _PICKLES):
        raise CheckpointError(
            f"{path} holds a PyTorch pickle, which can run code when it is read. Rewrite it once, "
            "reading weights only, with: pip install 'bedside[train]' and then "
            f"bedside model rewrite {path}"
        )
    raise CheckpointError(f"{path} holds no .safetensors and no .gguf file.")
