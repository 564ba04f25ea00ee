"""``bedside model convert``, ``inspect`` and ``rewrite``: what becomes of a checkpoint."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from assistant.commands import engine_entry, vision_model
from assistant.commands.own_texts import own_texts
from assistant.commands.progress import console, progress
from assistant.settings import Settings
from serving.ir.formats import HeadKind, Precision, WeightKind

Source = Annotated[
    Path,
    typer.Argument(
        metavar="SRC", help="A folder as Hugging Face publishes it (safetensors), or a GGUF file."
    ),
]
Weights = Annotated[WeightKind, typer.Option(help="How weights are stored.")]
Group = Annotated[
    int, typer.Option(help="INT4: neighbours that share a scale: 32, 64, 128; 0: a row.")
]
Symmetric = Annotated[
    bool,
    typer.Option("--symmetric/--asymmetric", help="INT4: no zero point, or one that moves."),
]
Int8Share = Annotated[
    float, typer.Option(help="INT4: share of the projections, the most sensitive, kept in INT8.")
]
Head = Annotated[
    HeadKind,
    typer.Option(
        help="The head's weights, where the others are INT4. auto: INT4, fitted to texts, where "
        "that costs at most 1 % of perplexity, and INT8 else; the model is run for it. A head that "
        "is the embedding's own table is stored beside it where the two differ."
    ),
]
Embedding = Annotated[WeightKind, typer.Option(help="The embedding's, where the others are INT4.")]
Family = Annotated[str, typer.Option(help="The architecture, where config.json does not tell it.")]


def convert(
    source: Source,
    weights: Weights = "int4",
    group: Group = 128,
    symmetric: Symmetric = False,
    int8_share: Int8Share = 0.0,
    head: Head = "int8",
    embedding: Embedding = "int8",
    family: Family = "",
    calibration: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="INT4: a UTF-8 file of your own texts to fit to, an empty line between.",
        ),
    ] = None,
    text: Annotated[
        list[Path] | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="--head auto: a text of yours to judge by, or .jsonl with one a line; several "
            "times. Default: our samples.",
        ),
    ] = None,
    adapter: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            file_okay=False,
            help="A folder of PEFT's with a LoRA adapter of SRC, which goes into the weights.",
        ),
    ] = None,
    licence: Annotated[str, typer.Option(help="The model's licence, as shown to users.")] = "",
    out: Annotated[Path | None, typer.Option(help="Folder to make.")] = None,
    name: Annotated[str, typer.Option(help="Or: what Bedside is to call the model.")] = "",
    for_another_machine: Annotated[
        bool, typer.Option(help="Convert it even where this machine has too little memory for it.")
    ] = False,
) -> None:
    """Make a checkpoint ready to serve: weights compressed, graph and tokenizer as OpenVINO IR.

    把检查点转换为可直接部署的 OpenVINO 模型；不需要 PyTorch，不运行模型自带的代码。
    """
    if (out is None) == (not name):
        raise typer.BadParameter("give either --out or --name")
    import psutil

    from serving.ir.convert import convert as make
    from serving.models.store import ModelStore

    precision = Precision(weights, group, symmetric, int8_share, head, embedding)
    texts = calibration.read_text("utf-8").split("\n\n") if calibration else []
    if text and head != "auto":
        raise typer.BadParameter("--text is what --head auto judges by")
    judged_by = own_texts(text) if head == "auto" else []
    target = ModelStore(Settings().home).new_folder(name) if out is None else out
    started = time.monotonic()
    with progress() as report:
        made = make(
            source,
            target,
            precision,
            report,
            name=name,
            licence=licence,
            family=family,
            calibration=texts,
            adapter=adapter,
            memory=0 if for_another_machine else psutil.virtual_memory().total,
            head_texts=judged_by,
        )
    taken = time.monotonic() - started
    size = sum(path.stat().st_size for path in target.iterdir())
    entry = engine_entry.lines(name or "mine", name or str(target.absolute()))
    say(
        f"已写入 written: {target} ({made.architecture}, {_told(made.settings, precision)}, "
        f"{megabytes(size)}, {taken:.0f} s)\n"
        f"试用 try it: bedside chat {name or target}\n"
        f"部署：写入 bedside.toml, to serve it:\n{entry}"
    )


def inspect(
    source: Annotated[
        Path, typer.Argument(metavar="SRC", help="As for convert, or a converted folder.")
    ],
    family: Family = "",
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """What a model is, and what each precision of it would take on disk and in memory.

    查看模型的结构、参数量、分词器，以及各精度占用的磁盘和内存。
    """
    from serving.ir.inspection import inspect as look
    from serving.vision.folder import is_vision

    if is_vision(source):
        vision_model.inspect(source, as_json)
        return
    found = look(source, family)
    if as_json:
        print(json.dumps(asdict(found), ensure_ascii=False, indent=1))
    else:
        _show(asdict(found))
    if found.problems:
        raise typer.Exit(1)


def rewrite(
    source: Annotated[
        Path,
        typer.Argument(metavar="SRC", help="A folder with pytorch_model*.bin, or one such file."),
    ],
    out: Annotated[
        Path | None, typer.Option(help="Folder to write to; default: SRC's own.")
    ] = None,
) -> None:
    """Rewrite a PyTorch pickle as safetensors, reading weights only; nothing in it is run.

    把旧的 PyTorch pickle 权重改写为 safetensors，只读取张量，不执行其中的任何代码。
    """
    from serving.ir.pickle_checkpoint import rewrite as write

    with progress() as report:
        made = write(source, out, report)
    say(
        f"已写入 written: {made} ({megabytes(made.stat().st_size)})\n"
        f"下一步 next: bedside model convert {made.parent} --name NAME"
    )


def _told(settings: Mapping[str, str], precision: Precision) -> str:
    """How weights are stored, and why the head is as it is, where that was measured."""
    kept = " ".join(settings[key] for key in precision.words())
    measured = settings.get("head_measured", "")
    return f"{kept}; {measured}" if measured else kept


def say(text: str) -> None:
    """To standard error as it is: paths are neither coloured nor broken into lines."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def megabytes(size: float) -> str:
    """A size in decimal units."""
    return f"{size / 1e9:.2f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"


def _show(found: dict[str, Any]) -> None:
    facts = Table(show_header=False, box=None)
    context = found["context_length"]
    facts.add_row("模型 family", f"{found['family']}  ({found['layout']})")
    facts.add_row("参数 parameters", f"{found['parameters']:,}")
    facts.add_row("结构 geometry", _listed(found["geometry"]) or "?")
    facts.add_row("上下文 context", f"{context:,} tokens" if context else "?")
    facts.add_row("分词器 tokenizer", found["tokenizer"])
    facts.add_row("张量 tensors", _listed(found["tensor_types"]))
    facts.add_row("磁盘 on disk", megabytes(found["stored_bytes"]))
    for key, value in found["provenance"].items():
        facts.add_row(key, value)
    console.print(facts)
    if found["weight_bytes"]:
        cache = found["cache_bytes_per_1k"]
        sizes = Table(
            "precision",
            "磁盘 disk",
            *(f"内存 memory, KV {kind}" for kind in cache),
            caption="内存：权重加 1,000 tokens 上下文 weights and 1,000 tokens of context",
        )
        for name, size in found["weight_bytes"].items():
            sizes.add_row(
                name, megabytes(size), *(megabytes(size + more) for more in cache.values())
            )
        console.print(sizes)
    for problem in found["problems"]:
        console.print(problem, style="red", markup=False, highlight=False, soft_wrap=True)


def _listed(values: dict[str, int]) -> str:
    return ", ".join(f"{key} {value:,}" for key, value in values.items())
