"""``bedside train``: pre-train an encoder, train entity recognition on it, export, score."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from assistant.commands.checkpoint import megabytes, say
from assistant.commands.live_line import live_line

if TYPE_CHECKING:
    from assistant.structuring.training.dataset import Example
    from assistant.structuring.training.scoring import Count
    from serving.bert.vocabulary import Vocabulary

app = typer.Typer(
    no_args_is_help=True,
    help="Training: encoders and entity recognition (pip install 'bedside\\[train]').",
)


class TrainingUnavailable(Exception):
    """PyTorch is not installed; the message says how to install it."""


Out = Annotated[Path, typer.Option(help="Folder to write to; a run that was killed goes on there.")]
Threads = Annotated[int, typer.Option(min=0, help="Threads to compute with; 0: all cores.")]
Seed = Annotated[int, typer.Option(help="Where every chance begins.")]
Layers = Annotated[int, typer.Option(min=1, help="Layers of a new encoder.")]
Width = Annotated[int, typer.Option(min=64, help="Its width, a multiple of 64.")]
Numbers = Annotated[
    Literal["auto", "bf16", "f32"],
    typer.Option(help="Products in bfloat16 or float32; auto: bfloat16 with AMX or on a GPU."),
]
Data = Annotated[
    list[Path] | None,
    typer.Option(exists=True, dir_okay=False, help="Annotated text: JSON lines or BIO."),
]
Set = Annotated[
    list[str],
    typer.Option(help="FILE, or NAME=FILE where several sets are learnt together (types NAME/…)."),
]


@app.command(
    epilog="例 Example: bedside train pretrain --data notes.bio.txt --cmekg pycmekg.tar.gz "
    "--out encoder"
)
def pretrain(
    out: Out,
    data: Data = None,
    text: Annotated[
        list[Path] | None,
        typer.Option(exists=True, dir_okay=False, help="UTF-8, an empty line between texts."),
    ] = None,
    cmekg: Annotated[
        Path | None, typer.Option(exists=True, help="CMeKG archive, written out as text.")
    ] = None,
    repeat: Annotated[
        int, typer.Option(min=1, help="How often --data counts beside the other text.")
    ] = 3,
    start: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="A BERT folder to begin from.")
    ] = None,
    layers: Layers = 4,
    width: Width = 256,
    positions: Annotated[int, typer.Option(min=64, help="The longest row it can read.")] = 256,
    steps: Annotated[int, typer.Option(min=1)] = 3_200,
    batch: Annotated[int, typer.Option(min=1, help="Rows of 128 characters a step.")] = 16,
    rate: Annotated[float, typer.Option(help="Highest learning rate.")] = 1e-3,
    numbers: Numbers = "auto",
    seed: Seed = 1,
    threads: Threads = 0,
) -> None:
    """Pre-train a compact encoder on text by masked characters; needs no labels.

    从无标注文本预训练一个小型中文编码器（遮盖字符预测）；中断后再次运行即可继续。
    """
    _begin(threads)
    from assistant.structuring.training import corpus, dataset
    from assistant.structuring.training.pretrain import PretrainSettings
    from assistant.structuring.training.pretrain import pretrain as train
    from serving.bert.checkpoint import BertCheckpoint
    from serving.bert.shape import Shape
    from serving.bert.vocabulary import of_characters

    notes = [example.text for path in data or [] for example in dataset.read(path)]
    texts = notes * repeat
    texts += [paragraph for path in text or [] for paragraph in corpus.file_texts(path)]
    if cmekg is not None:
        texts += corpus.cmekg_texts(cmekg)
    if not texts:
        raise typer.BadParameter("give --data, --text or --cmekg: there is nothing to learn from")
    begin = BertCheckpoint(start) if start is not None else None
    if begin is None:
        vocabulary = of_characters(texts, least=3)
        shape = Shape(len(vocabulary), width, layers, _heads(width), 4 * width, positions)
    else:
        vocabulary, shape = begin.vocabulary, begin.shape
    settings = PretrainSettings(steps=steps, batch=batch, rate=rate, numbers=numbers, seed=seed)
    with live_line() as report:
        made = train(texts, vocabulary, shape, out, settings, report, begin)
    say(
        f"已写入 written: {made.folder} ({made.tokens:,} tokens, {made.seconds:.0f} s; held out: "
        f"loss {made.loss:.3f}, {made.right:.1%} right)\n"
        f"下一步 next: bedside train ner --from {made.folder} --train FILE --dev FILE --out DIR"
    )


@app.command(
    epilog="例 Examples: bedside train ner --from encoder --train train.bio.txt --dev dev.bio.txt "
    "--out ner\n\n"
    "bedside train ner --from encoder --train notes=a.bio.txt --dev notes=b.bio.txt "
    "--train questions=c.jsonl --dev questions=d.jsonl --out ner"
)
def ner(
    out: Out,
    train: Set,
    dev: Annotated[
        list[str] | None, typer.Option(help="As --train; default: the last tenth of it.")
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option(
            "--from", exists=True, file_okay=False, help="A BERT folder; default: from nothing."
        ),
    ] = None,
    layers: Layers = 4,
    width: Width = 256,
    epochs: Annotated[int, typer.Option(min=1)] = 30,
    patience: Annotated[
        int, typer.Option(min=1, help="Epochs without a better dev F1 before it stops.")
    ] = 6,
    tokens: Annotated[int, typer.Option(min=64, help="Tokens a step.")] = 4_096,
    rate: Annotated[float, typer.Option(help="Highest learning rate of the encoder.")] = 5e-4,
    head_rate: Annotated[float, typer.Option(help="And of the head.")] = 2e-3,
    dropout: Annotated[float, typer.Option(min=0, max=0.9)] = 0.1,
    exchange: Annotated[
        float, typer.Option(min=0, max=1, help="Share of mentions worded as others of their type.")
    ] = 0.0,
    hidden: Annotated[
        float, typer.Option(min=0, max=0.5, help="Share of characters masked.")
    ] = 0.0,
    numbers: Numbers = "auto",
    seed: Seed = 1,
    threads: Threads = 0,
) -> None:
    """Train entity recognition: nested or flat spans, best epoch by strict micro-F1 on --dev.

    训练实体识别（嵌套与非嵌套同一方案）；按开发集严格 micro-F1 早停；中断后再次运行即可继续。
    """
    _begin(threads)
    from assistant.structuring.training import dataset, report
    from assistant.structuring.training.ner import NerSettings
    from assistant.structuring.training.ner import train as learn
    from serving.bert.checkpoint import BertCheckpoint
    from serving.bert.shape import Shape
    from serving.bert.vocabulary import of_characters

    training = _sets(train)
    if dev:
        held = _as_trained(_sets(dev), training)
    else:
        parts = {name: dataset.split(examples, 0.1) for name, examples in training.items()}
        training = {name: first for name, (first, _) in parts.items()}
        held = {name: last for name, (_, last) in parts.items()}
    examples = [example for group in training.values() for example in group]
    settings = NerSettings(
        epochs=epochs,
        patience=patience,
        tokens=tokens,
        rate=rate,
        head_rate=head_rate,
        dropout=dropout,
        exchange=exchange,
        hidden=hidden,
        numbers=numbers,
        seed=seed,
    )
    if start is not None:
        begin: BertCheckpoint | tuple[Vocabulary, Shape] = BertCheckpoint(start)
    else:
        vocabulary = of_characters((example.text for example in examples), least=2)
        begin = (
            vocabulary,
            Shape(
                len(vocabulary),
                width,
                layers,
                _heads(width),
                4 * width,
                max_position_embeddings=256,
            ),
        )
    with live_line() as tell:
        made = learn(
            examples, [one for group in held.values() for one in group], begin, out, settings, tell
        )
    facts = {
        "train": {name: len(group) for name, group in training.items()},
        "dev": {name: len(group) for name, group in held.items()},
        "best_epoch": made.best,
        "spans_within_tokens": made.lost,
        "seconds": round(made.seconds),
        "settings": asdict(settings),
    }
    report.write(out, made.dev, facts, [asdict(one) for one in made.epochs])
    for name in training:
        prefix = f"{name}/" if name else ""
        say(f"{name or 'dev'}: {_told(made.dev.micro(prefix))}")
    say(
        f"已写入 written: {out} (report.md, report.json, confusion.svg)\n"
        f"下一步 next: bedside train export {out} --out DIR"
    )


@app.command(
    epilog="例 Examples: bedside train export ner --out ner-ov\n\n"
    "bedside train export ner --out ner-int8 --weights int8 --calibration dev.bio.txt"
)
def export(
    source: Annotated[
        Path, typer.Argument(metavar="SRC", exists=True, file_okay=False, help="A BERT folder.")
    ],
    out: Annotated[Path, typer.Option(help="Folder to make.")],
    weights: Annotated[
        Literal["fp32", "fp16", "int8"], typer.Option(help="How weights are stored.")
    ] = "fp32",
    calibration: Annotated[
        list[str] | None, typer.Option(help="INT8: annotated text to keep the F1 on, as --train.")
    ] = None,
    max_drop: Annotated[
        float, typer.Option(min=0, max=1, help="INT8: how much micro-F1 may be lost.")
    ] = 0.005,
    licence: Annotated[str, typer.Option(help="The model's licence, as shown to users.")] = "",
) -> None:
    """Make a trained model ready to run: OpenVINO IR, in INT8 by NNCF where asked. No PyTorch.

    把训练好的模型转换为 OpenVINO；INT8 需要 NNCF，并以标注数据控制精度损失。
    """
    from serving.bert.convert import convert

    if weights != "int8":
        convert(source, out, licence=licence, compress=weights == "fp16")
        say(f"已写入 written: {out} ({_size(out)})")
        return
    if not calibration:
        raise typer.BadParameter("--weights int8 needs --calibration")
    from tempfile import TemporaryDirectory

    from assistant.structuring.training.calibration import quantize

    examples = [example for group in _sets(calibration).values() for example in group]
    with TemporaryDirectory(prefix="bedside-") as folder:
        plain = convert(source, Path(folder) / source.name)
        made = quantize(plain, out, examples, max_drop, licence)
    say(
        f"已写入 written: {out} ({_size(out)}); F1 {made.before:.4f} → {made.after:.4f} on "
        f"{len(examples)} documents"
    )


@app.command(epilog="例 Example: bedside train score ner-int8 --test test.bio.txt --json")
def score(
    model: Annotated[
        Path, typer.Argument(exists=True, file_okay=False, help="A folder made by export.")
    ],
    test: Set,
    report: Annotated[
        Path | None, typer.Option(help="Folder for report.md, report.json, confusion.svg.")
    ] = None,
    compute: Annotated[
        Literal["auto", "f32", "bf16"], typer.Option(help="Numbers that are not INT8.")
    ] = "auto",
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Score an exported model: strict precision, recall, F1 by type. No PyTorch.

    在标注数据上评测已导出的模型（严格匹配）。
    """
    import json

    from assistant.structuring.recognizer import ModelRecognizer
    from assistant.structuring.training import report as paper
    from assistant.structuring.training.scoring import score as count

    recognizer = ModelRecognizer.open(model, compute)
    groups = {
        name: count(_annotated_as(examples, recognizer.labels, name), recognizer.labelled)
        for name, examples in _sets(test).items()
    }
    for name, scores in groups.items():
        if report is not None:
            folder = report / name if name else report
            paper.write(folder, scores, {"model": recognizer.name, "compute": compute})
        if not as_json:
            print("\n".join(paper.rows(scores)))
    if as_json:
        records = {name: paper.as_record(scores) for name, scores in groups.items()}
        print(json.dumps(records.get("", records), ensure_ascii=False, indent=1))


def _sets(given: Iterable[str]) -> dict[str, list[Example]]:
    """NAME=FILE or FILE → examples by name; several files of one name follow one another."""
    from assistant.structuring.training.dataset import read

    found: dict[str, list[Example]] = {}
    for item in given:
        name, separator, path = item.partition("=")
        if not separator or Path(item).is_file():
            name, path = "", item
        found.setdefault(name, []).extend(read(Path(path), f"{name}/" if name else ""))
    if "" in found and len(found) > 1:
        raise typer.BadParameter("name every data set (NAME=FILE), or none")
    return found


def _as_trained(
    held: dict[str, list[Example]], training: dict[str, list[Example]]
) -> dict[str, list[Example]]:
    """A type that the dev set happens to lack was looked for in it all the same."""
    from assistant.structuring.training.dataset import types_of

    if held.keys() != training.keys():
        raise typer.BadParameter("--dev and --train must name the same data sets")
    return {
        name: _annotated_as(examples, types_of(training[name]), name)
        for name, examples in held.items()
    }


def _annotated_as(examples: list[Example], types: Sequence[str], name: str) -> list[Example]:
    from dataclasses import replace

    prefix = f"{name}/" if name else ""
    own = frozenset(kind for kind in types if kind.startswith(prefix))
    return [replace(example, annotated=example.annotated | own) for example in examples]


def _told(count: Count) -> str:
    return (
        f"precision {count.precision:.4f}, recall {count.recall:.4f}, F1 {count.f1:.4f} "
        f"({count.gold} spans)"
    )


def _size(folder: Path) -> str:
    return megabytes(sum(path.stat().st_size for path in folder.iterdir()))


def _begin(threads: int) -> None:
    try:
        import safetensors  # noqa: F401
        import torch
    except ImportError as error:
        raise TrainingUnavailable(
            f"Training needs PyTorch, and {error.name} is not installed: "
            "pip install 'bedside[train]'"
        ) from error
    if threads:
        torch.set_num_threads(threads)


def _heads(width: int) -> int:
    if width % 64:
        raise typer.BadParameter(f"--width {width} is no multiple of 64")
    return width // 64
