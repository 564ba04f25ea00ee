"""``bedside train pretrain``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assistant.commands.checkpoint import say
from assistant.commands.live_line import live_line
from assistant.commands.train.options import (
    Data,
    Ipex,
    Layers,
    Numbers,
    Out,
    Seed,
    Start,
    Threads,
    Width,
    begin,
    heads,
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
    start: Start = None,
    layers: Layers = 4,
    width: Width = 256,
    positions: Annotated[int, typer.Option(min=64, help="The longest row it can read.")] = 256,
    steps: Annotated[int, typer.Option(min=1)] = 3_200,
    batch: Annotated[int, typer.Option(min=1, help="Rows of 128 characters a step.")] = 16,
    rate: Annotated[float, typer.Option(help="Highest learning rate.")] = 1e-3,
    numbers: Numbers = "auto",
    ipex: Ipex = False,
    seed: Seed = 1,
    threads: Threads = 0,
) -> None:
    """Pre-train a compact encoder on text by masked characters; needs no labels.

    从无标注文本预训练一个小型中文编码器（遮盖字符预测）；中断后再次运行即可继续。
    """
    begin(threads)
    from assistant.training import corpus, dataset
    from assistant.training.pretrain import PretrainSettings
    from assistant.training.pretrain import pretrain as train
    from serving.encoder.checkpoint import BertCheckpoint
    from serving.encoder.shape import Shape
    from serving.encoder.vocabulary import of_characters

    notes = [example.text for path in data or [] for example in dataset.read(path)]
    texts = notes * repeat
    texts += [paragraph for path in text or [] for paragraph in corpus.file_texts(path)]
    if cmekg is not None:
        texts += corpus.cmekg_texts(cmekg)
    if not texts:
        raise typer.BadParameter("give --data, --text or --cmekg: there is nothing to learn from")
    encoder = BertCheckpoint(start) if start is not None else None
    if encoder is None:
        vocabulary = of_characters(texts, least=3)
        shape = Shape(len(vocabulary), width, layers, heads(width), 4 * width, positions)
    else:
        vocabulary, shape = encoder.vocabulary, encoder.shape
    settings = PretrainSettings(
        steps=steps, batch=batch, rate=rate, numbers=numbers, extension=ipex, seed=seed
    )
    with live_line() as report:
        made = train(texts, vocabulary, shape, out, settings, report, encoder)
    say(
        f"已写入 written: {made.folder} ({made.tokens:,} tokens, {made.seconds:.0f} s; held out: "
        f"loss {made.loss:.3f}, {made.right:.1%} right)\n"
        f"下一步 next: bedside train ner --from {made.folder} --train FILE --dev FILE --out DIR"
    )
