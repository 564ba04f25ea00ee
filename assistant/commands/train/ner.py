"""``bedside train ner``."""

from __future__ import annotations

from dataclasses import asdict
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
    Set,
    Start,
    Threads,
    Tokens,
    Width,
    begin,
    beginning,
    scores_line,
    with_dev,
)


def ner(
    out: Out,
    train: Set,
    dev: Annotated[
        list[str] | None, typer.Option(help="As --train; default: the last tenth of it.")
    ] = None,
    start: Start = None,
    layers: Layers = 4,
    width: Width = 256,
    epochs: Epochs = 30,
    patience: Patience = 6,
    tokens: Tokens = 4_096,
    rate: Rate = 5e-4,
    head_rate: HeadRate = 2e-3,
    dropout: Dropout = 0.1,
    hidden: Hidden = 0.0,
    exchange: Annotated[
        float, typer.Option(min=0, max=1, help="Share of mentions worded as others of their type.")
    ] = 0.0,
    numbers: Numbers = "auto",
    ipex: Ipex = False,
    seed: Seed = 1,
    threads: Threads = 0,
) -> None:
    """Train entity recognition: nested or flat spans, best epoch by strict micro-F1 on --dev.

    训练实体识别（嵌套与非嵌套同一方案）；按开发集严格 micro-F1 早停；中断后再次运行即可继续。
    """
    begin(threads)
    from assistant.training import report
    from assistant.training.ner import NerSettings
    from assistant.training.ner import train as learn

    training, held = with_dev(train, dev)
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
        extension=ipex,
        seed=seed,
    )
    first = beginning(start, (example.text for example in examples), layers, width)
    with live_line() as tell:
        made = learn(
            examples, [one for group in held.values() for one in group], first, out, settings, tell
        )
    facts = {
        "train": {name: len(group) for name, group in training.items()},
        "dev": {name: len(group) for name, group in held.items()},
        "best_epoch": made.best,
        "above": made.above,
        "spans_within_tokens": made.lost,
        "seconds": round(made.seconds),
        "settings": asdict(settings),
    }
    report.write(out, made.dev, facts, [asdict(one) for one in made.epochs])
    for name in training:
        prefix = f"{name}/" if name else ""
        say(f"{name or 'dev'}: {scores_line(made.dev.micro(prefix))}, threshold {made.above}")
    say(
        f"已写入 written: {out} (report.md, report.json, confusion.svg)\n"
        f"下一步 next: bedside train export {out} --out DIR"
    )
