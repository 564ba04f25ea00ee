"""What the training commands share: options, data sets by name, the check for PyTorch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from assistant.training.dataset import Example
    from assistant.training.scoring import Count
    from serving.encoder.checkpoint import BertCheckpoint
    from serving.encoder.shape import Shape
    from serving.encoder.vocabulary import Vocabulary


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
Start = Annotated[
    Path | None,
    typer.Option(
        "--from", exists=True, file_okay=False, help="A BERT folder; default: from nothing."
    ),
]
Epochs = Annotated[int, typer.Option(min=1)]
Patience = Annotated[
    int, typer.Option(min=1, help="Epochs without a better dev F1 before it stops.")
]
Tokens = Annotated[int, typer.Option(min=64, help="Tokens a step.")]
Rate = Annotated[float, typer.Option(help="Highest learning rate of the encoder.")]
HeadRate = Annotated[float, typer.Option(help="And of the head.")]
Dropout = Annotated[float, typer.Option(min=0, max=0.9)]
Ipex = Annotated[
    bool,
    typer.Option("--ipex", help="Compute with Intel Extension for PyTorch where it is installed."),
]
Hidden = Annotated[float, typer.Option(min=0, max=0.5, help="Share of characters masked.")]


def sets(given: Iterable[str]) -> dict[str, list[Example]]:
    """NAME=FILE or FILE → examples by name; several files of one name follow one another."""
    from assistant.training.dataset import read

    found: dict[str, list[Example]] = {}
    for item in given:
        name, separator, path = item.partition("=")
        if not separator or Path(item).is_file():
            name, path = "", item
        found.setdefault(name, []).extend(read(Path(path), f"{name}/" if name else ""))
    if "" in found and len(found) > 1:
        raise typer.BadParameter("name every data set (NAME=FILE), or none")
    return found


def as_trained(
    held: dict[str, list[Example]], training: dict[str, list[Example]]
) -> dict[str, list[Example]]:
    """A type that the dev set happens to lack was looked for in it all the same."""
    from assistant.training.dataset import types_of

    if held.keys() != training.keys():
        raise typer.BadParameter("--dev and --train must name the same data sets")
    return {
        name: annotated_as(examples, types_of(training[name]), name)
        for name, examples in held.items()
    }


def with_dev(
    train: Iterable[str], dev: Iterable[str] | None
) -> tuple[dict[str, list[Example]], dict[str, list[Example]]]:
    """What is trained on and what is held out; without ``dev`` that is the last tenth of each."""
    from assistant.training import dataset

    training = sets(train)
    if dev:
        return training, as_trained(sets(dev), training)
    parts = {name: dataset.split(examples, 0.1) for name, examples in training.items()}
    return (
        {name: first for name, (first, _) in parts.items()},
        {name: last for name, (_, last) in parts.items()},
    )


def annotated_as(examples: list[Example], types: Sequence[str], name: str) -> list[Example]:
    """Examples in which all ``types`` of the data set ``name`` were looked for."""
    from dataclasses import replace

    prefix = f"{name}/" if name else ""
    own = frozenset(kind for kind in types if kind.startswith(prefix))
    return [replace(example, annotated=example.annotated | own) for example in examples]


def scores_line(count: Count) -> str:
    """Scores as one line."""
    return (
        f"precision {count.precision:.4f}, recall {count.recall:.4f}, F1 {count.f1:.4f} "
        f"({count.gold} spans)"
    )


def begin(threads: int) -> None:
    """Compute with so many threads, or all (0).

    Raises:
        TrainingUnavailable: PyTorch is not installed.
    """
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


def heads(width: int) -> int:
    """Attention heads of an encoder of this width, 64 numbers each."""
    if width % 64:
        raise typer.BadParameter(f"--width {width} is no multiple of 64")
    return width // 64


def beginning(
    start: Path | None, texts: Iterable[str], layers: int, width: int
) -> BertCheckpoint | tuple[Vocabulary, Shape]:
    """The encoder in ``start``, or the vocabulary of ``texts`` and a shape to begin with."""
    from serving.encoder.checkpoint import BertCheckpoint
    from serving.encoder.shape import Shape
    from serving.encoder.vocabulary import of_characters

    if start is not None:
        return BertCheckpoint(start)
    words = of_characters(texts, least=2)
    shape = Shape(len(words), width, layers, heads(width), 4 * width, max_position_embeddings=256)
    return words, shape
