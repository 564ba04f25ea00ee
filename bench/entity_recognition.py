"""Entity recognition: characters per second beside stock PyTorch, and a note's time.

At the geometry of BERT-base with random weights (or any checkpoint by ``--folder``), on texts of
real lengths: Transformers' BertModel in float32 in an environment of its own, and this project's
graph in float32, bfloat16 and INT8, the rest of that in either.  Every side reads the same rows of
ids in batches of like length, with the batch size that is best for it; passes are interleaved.

    python -m bench.entity_recognition --peer PYTHON --texts notes.jsonl
    python -m bench.entity_recognition --folder ner-int8 --note 1000
    python -m bench.entity_recognition --note 1000 --sizes 4x256 6x256 4x384 6x384

INT8 of random weights is made by NNCF without a measure of accuracy (extra ``calibration``); where
it is not installed, or with ``--int8 FOLDER``, the folder that is given is used, or none.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.tasks.structuring.recognizer import ModelRecognizer
from assistant.tasks.structuring.windows import windows
from assistant.training.split import records
from bench.machine import describe
from bench.peer_process import PeerProcess
from serving.encoder import quantized
from serving.encoder.checkpoint import encoder_shapes, head_shapes
from serving.encoder.convert import convert, write
from serving.encoder.runtime import BertRuntime, ModelUnavailable, Placement
from serving.encoder.shape import Shape, SpanShape, head_config
from serving.encoder.vocabulary import SPECIAL, Vocabulary
from serving.models.manifest import MODEL_FILE

BASE = Shape(21_128, 768, 12, 12, 3_072, 512)
SPAN = SpanShape(("疾病和诊断", "影像检查", "实验室检验", "手术", "药物", "解剖部位"))
_TOKENS = (512, 2_048)
# Rows on which each side finds its best batch.
_FEW = 16
_CHARACTERS = 24_000
_CORES = len(os.sched_getaffinity(0))
_SPREAD = 0.02
Pass = Callable[[], float]
"""Reads all rows once; the seconds that it took."""


def random_model(folder: Path, shape: Shape = BASE) -> Path:
    """An encoder with the span head, random weights."""
    words = [*SPECIAL, *(chr(0x4E00 + place) for place in range(shape.vocab_size - len(SPECIAL)))]
    folder.mkdir(parents=True)
    Vocabulary(words).write(folder)
    config = {**shape.config(), **head_config(SPAN)}
    (folder / "config.json").write_text(json.dumps(config, ensure_ascii=False), encoding="utf-8")
    random = np.random.default_rng(1)
    tensors = {}
    for name, size in (encoder_shapes(shape) | head_shapes(shape, SPAN)).items():
        values = _SPREAD * random.standard_normal(size, np.float32)
        tensors[name] = 1 + values if name.endswith("LayerNorm.weight") else values
    _write_safetensors(folder / "model.safetensors", tensors)
    return folder


def _write_safetensors(path: Path, tensors: Mapping[str, NDArray[np.float32]]) -> None:
    """Length of the header in 8 bytes, the header in JSON, the values."""
    header, offset = {}, 0
    for name, values in tensors.items():
        end = offset + values.nbytes
        header[name] = {"dtype": "F32", "shape": values.shape, "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for values in tensors.values():
            file.write(np.ascontiguousarray(values).tobytes())


def int8_of(source: Path, target: Path, rows: Sequence[Sequence[int]]) -> Path | None:
    """The converted model at ``source`` in INT8, ranges from ``rows``; None without NNCF."""
    try:
        import nncf
    except ImportError:
        return None
    import openvino

    runtime = BertRuntime(source, "f32")
    inputs = [quantized.inputs(runtime.vocabulary, row) for row in rows[:100]]
    model = nncf.quantize(
        openvino.Core().read_model(source / MODEL_FILE),
        nncf.Dataset(inputs),
        preset=nncf.QuantizationPreset.MIXED,
        model_type=nncf.ModelType.TRANSFORMER,
        subset_size=len(inputs),
    )
    return write(
        source,
        target,
        lambda folder: openvino.save_model(model, folder / MODEL_FILE),
        {"weights": "int8"},
        target.name,
        "",
    )


def rows_of(texts: Path, vocabulary: Vocabulary, most: int, size: int) -> list[list[int]]:
    """Ids of the windows of texts, ``most`` characters in all; a character unknown to a random
    vocabulary is one token all the same."""
    rows: list[list[int]] = []
    left = most
    for record in records(texts):
        tokens = vocabulary.tokens(record.text)
        rows += [tokens.ids[part.start : part.end] for part in windows(len(tokens), size, 48)]
        left -= len(record.text)
        if left <= 0:
            break
    return rows


def ours(runtime: BertRuntime, rows: Sequence[Sequence[int]]) -> tuple[str, Pass]:
    """A pass of one runtime with the placement that is fastest on these rows."""

    def timed_pass(chosen: Sequence[Sequence[int]] = rows) -> float:
        begin = time.perf_counter()
        for _ in runtime.spans(chosen):
            pass
        return time.perf_counter() - begin

    def timed(placement: Placement) -> float:
        runtime.place(placement)
        timed_pass(rows[:_FEW])
        return timed_pass(rows[:_FEW])

    choices = [Placement(streams, _CORES, size) for streams in (1, _CORES) for size in _TOKENS]
    seconds = {choice: timed(choice) for choice in choices}
    best = min(seconds, key=lambda choice: seconds[choice])
    runtime.place(best)
    return f"streams {best.streams}, {best.tokens} tokens a batch", timed_pass


def peer(process: PeerProcess, vocabulary: Vocabulary, rows: list[list[int]]) -> tuple[str, Pass]:
    """A pass of PyTorch with the batch size that is fastest on these rows."""
    whole = [[vocabulary.first, *row, vocabulary.last] for row in rows]

    def timed_pass(size: int, chosen: list[list[int]] = whole) -> float:
        answer = process.ask("read", rows=chosen, tokens=size, pad=vocabulary.pad)
        return float(answer["seconds"])

    for size in _TOKENS:
        timed_pass(size, whole[:_FEW])
    seconds = {size: timed_pass(size, whole[:_FEW]) for size in _TOKENS}
    best = min(seconds, key=lambda size: seconds[size])
    return f"{best} tokens a batch", lambda: timed_pass(best)


def throughput(options: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    """Characters per second of every side, interleaved."""
    source = options.folder or random_model(scratch / "base")
    plain = convert(source, scratch / "fp32")
    first = BertRuntime(plain, "f32")
    rows = rows_of(options.texts, first.vocabulary, options.characters, 254)
    characters = sum(map(len, rows))
    folder = options.int8 or int8_of(plain, scratch / "int8", rows)
    sides: dict[str, tuple[str, Pass]] = {"ours, FP32": ours(first, rows)}
    for name, where, compute in (
        ("ours, BF16", plain, "bf16"),
        ("ours, INT8", folder, "f32"),
        ("ours, INT8 and BF16", folder, "bf16"),
    ):
        if where is None:
            continue
        try:
            sides[name] = ours(BertRuntime(where, compute), rows)
        except ModelUnavailable as error:
            print(f"{name}: {error}", file=sys.stderr)
    process = PeerProcess(options.peer, "bert")
    try:
        told = process.ask("load", path=str(source), threads=_CORES)
        sides[f"PyTorch {told['torch']}, FP32, {told['attention']}"] = peer(
            process, first.vocabulary, rows
        )
        taken: dict[str, list[float]] = {name: [] for name in sides}
        for _ in range(options.repetitions):
            for name, (_, timed_pass) in sides.items():
                taken[name].append(timed_pass())
    finally:
        process.close()
    *_, reference = sides
    base = statistics.median(taken[reference])
    return {
        "rows": len(rows),
        "characters": characters,
        "sides": {
            name: {
                "characters/s": round(characters / statistics.median(seconds)),
                "ratio": round(base / statistics.median(seconds), 2),
                "spread": [round(characters / max(seconds)), round(characters / min(seconds))],
                "placement": sides[name][0],
            }
            for name, seconds in taken.items()
        },
    }


def note(options: argparse.Namespace) -> dict[str, Any]:
    """Milliseconds from a text to its entities, on one core and on all."""
    text = "".join(record.text for record in records(options.texts)) if options.texts else _TEXT
    text = (text * (options.note // len(text) + 1))[: options.note]
    found = {}
    for cores in sorted({1, _CORES}):
        recognizer = ModelRecognizer.open(options.folder, "auto", Placement(1, cores))
        for _ in range(3):
            recognizer.recognise(text)
        times = []
        for _ in range(max(5, options.repetitions)):
            begin = time.perf_counter()
            spans = recognizer.recognise(text)
            times.append(1_000 * (time.perf_counter() - begin))
        found[f"{cores} cores, ms"] = round(statistics.median(times), 1)
        found["entities"] = len(spans)
    return {"characters": len(text), **found}


def sizes(options: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    """Milliseconds that the graphs of encoders of several sizes take for a note, interleaved; INT8
    where NNCF is there."""
    passes: dict[str, Pass] = {}
    for name in options.sizes:
        layers, width = map(int, name.split("x"))
        shape = Shape(4_000, width, layers, width // 64, 4 * width, 512)
        plain = convert(random_model(scratch / name, shape), scratch / f"{name}-fp32")
        vocabulary = BertRuntime(plain, "f32").vocabulary
        text = (_TEXT * (options.note // len(_TEXT) + 1))[: options.note]
        tokens = vocabulary.tokens(text)
        rows = [tokens.ids[part.start : part.end] for part in windows(len(tokens), 254, 48)]
        runtime = BertRuntime(int8_of(plain, scratch / f"{name}-int8", rows) or plain, "f32")
        _, passes[name] = ours(runtime, rows)
    taken: dict[str, list[float]] = {name: [] for name in passes}
    for _ in range(4 * options.repetitions):
        for name, timed_pass in passes.items():
            taken[name].append(1_000 * timed_pass())
    return {name: round(statistics.median(times), 1) for name, times in taken.items()}


_TEXT = (
    "患者3天前受凉后出现发热，体温最高38.6℃，伴咳嗽、咳黄痰，无胸痛及咯血。既往高血压10年，口服氨氯地平。"
    "查体：右下肺可闻及湿啰音。血常规白细胞12.3×10^9/L，胸部CT示右肺下叶斑片影。"
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peer", type=Path, help="Python of an environment with transformers.")
    parser.add_argument("--texts", type=Path, help="Notes: JSON lines with text, or BIO.")
    parser.add_argument("--folder", type=Path, help="A checkpoint; with --note a converted model.")
    parser.add_argument("--int8", type=Path, help="The same model in INT8, converted.")
    parser.add_argument("--note", type=int, default=0, help="Time a note of so many characters.")
    parser.add_argument("--sizes", nargs="+", help="With --note: LAYERSxWIDTH, random weights.")
    parser.add_argument("--characters", type=int, default=_CHARACTERS)
    parser.add_argument("--repetitions", type=int, default=5)
    options = parser.parse_args()
    if options.note and options.sizes:
        with tempfile.TemporaryDirectory(prefix="bedside-") as scratch:
            found = sizes(options, Path(scratch))
    elif options.note:
        if options.folder is None:
            parser.error("--note needs --folder or --sizes")
        found = note(options)
    else:
        if options.peer is None or options.texts is None:
            parser.error("give --peer and --texts, or --note")
        with tempfile.TemporaryDirectory(prefix="bedside-") as scratch:
            found = throughput(options, Path(scratch))
    line = {"bench": "entity_recognition"} | found | {"repetitions": options.repetitions}
    print(json.dumps(line | describe(), ensure_ascii=False))


if __name__ == "__main__":
    main()
