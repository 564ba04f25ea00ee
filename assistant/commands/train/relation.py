"""``bedside train relation``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from assistant.commands.checkpoint import say
from assistant.commands.live_line import live_line
from assistant.commands.train.options import (
    Dropout,
    Epochs,
    HeadRate,
    Hidden,
    Ipex,
    Layers,
    Numbers,
    Out,
    Patience,
    Rate,
    Seed,
    Start,
    Threads,
    Tokens,
    Width,
    begin,
    beginning,
    scores_line,
)

Triples = Annotated[
    list[Path],
    typer.Option(
        exists=True, dir_okay=False, help="JSON lines of text and spo_list, as CMeIE has them."
    ),
]


def relation(
    out: Out,
    train: Triples,
    dev: Annotated[
        list[Path] | None,
        typer.Option(exists=True, dir_okay=False, help="As --train; default: the last tenth."),
    ] = None,
    start: Start = None,
    layers: Layers = 4,
    width: Width = 256,
    epochs: Epochs = 40,
    patience: Patience = 8,
    tokens: Tokens = 2_048,
    rate: Rate = 5e-4,
    head_rate: HeadRate = 2e-3,
    dropout: Dropout = 0.1,
    hidden: Hidden = 0.0,
    numbers: Numbers = "auto",
    ipex: Ipex = False,
    seed: Seed = 1,
    threads: Threads = 0,
) -> None:
    """Train relation extraction: subject, predicate, object; best epoch by micro-F1 on --dev.

    训练关系抽取（主语、谓词、宾语）；按开发集 micro-F1 早停；中断后再次运行即可继续。
    """
    begin(threads)
    from assistant.training import dataset, report
    from assistant.training.fitting import FitSettings
    from assistant.training.relation import train as learn
    from assistant.training.relation_data import read

    training = [example for path in train for example in read(path)]
    if dev:
        held = [example for path in dev for example in read(path)]
    else:
        training, held = dataset.split(training, 0.1)
    settings = FitSettings(
        epochs=epochs,
        patience=patience,
        tokens=tokens,
        rate=rate,
        head_rate=head_rate,
        dropout=dropout,
        hidden=hidden,
        numbers=numbers,
        extension=ipex,
        seed=seed,
    )
    first = beginning(start, (example.text for example in training), layers, width)
    with live_line() as tell:
        made = learn(training, held, first, out, settings, tell)
    facts = {
        "train": len(training),
        "dev": len(held),
        "best_epoch": made.best,
        "above": made.above,
        "triples_not_in_their_text": made.lost,
        "seconds": round(made.seconds),
        "settings": asdict(settings),
    }
    report.write(out, made.dev, facts, [asdict(one) for one in made.epochs], report.RELATIONS)
    say(f"dev: {scores_line(made.dev.micro())}, threshold {made.above}")
    say(
        f"已写入 written: {out} (report.md, report.json)\n"
        f"下一步 next: bedside train export {out} --out DIR"
    )
