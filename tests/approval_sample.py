"""A model folder and recorded runs of it, as an approval needs them; nothing here computes."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from promptcblue_sets import gold

from assistant.approval.model_files import folder_digest
from eval.promptcblue.tracks import CCKS2023
from eval.run.model import OpenModel
from eval.run.run import RunSettings, start
from serving.engine import ModelCard
from serving.engines.echo import EchoEngine
from serving.hardware import cpu
from serving.models.manifest import MODEL_FILE, TOKENIZER_FILE, WEIGHTS_FILE, Manifest

MODEL = "ward-model"
WEIGHTS = {"weights": "int8", "group": "128"}
SAMPLES = gold(CCKS2023)
RIGHT = {sample.input: sample.target for sample in SAMPLES}


def write_model(home: Path, name: str = MODEL) -> Path:
    """A folder that looks like a prepared model."""
    folder = home / "models" / name
    folder.mkdir(parents=True)
    for file in (MODEL_FILE, TOKENIZER_FILE, WEIGHTS_FILE):
        (folder / file).write_text(file, "utf-8")
    Manifest(name=name, source="ours", context_length=4096, settings=WEIGHTS).write(folder)
    return folder


class NamedEcho(EchoEngine):
    """Answers as it is told, and calls itself a model of this machine."""

    @property
    def card(self) -> ModelCard:
        return ModelCard(MODEL, "ours", 100_000, details={"engine": "openvino", **WEIGHTS})


def write_run(
    folder: Path,
    model: Path,
    *,
    answer: Callable[[str], str] = RIGHT.__getitem__,
    samples: int = len(SAMPLES),
    **settings: str,
) -> Path:
    """A run of the model over the small set; ``settings`` say how it was opened."""
    here = " ".join(cpu.flags())
    opened = {"precision": "auto", "kv_cache": "auto", "processor": here} | settings
    chosen = RunSettings(CCKS2023, SAMPLES[:samples], command="bedside eval run …")
    engine = OpenModel(NamedEcho(answer), opened | {"files_sha256": folder_digest(model)})
    # A test that drives a browser has an event loop of its own in its thread.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(start, folder, chosen, engine, quiet=True).result()
    return folder
