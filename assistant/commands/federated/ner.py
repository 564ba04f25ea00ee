"""``bedside federated server`` and ``site``: entity recognition."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.commands.checkpoint import say
from assistant.commands.federated import options, sides
from assistant.commands.train.options import (
    Dropout,
    HeadRate,
    Hidden,
    Layers,
    Rate,
    Seed,
    Set,
    Start,
    Threads,
    Tokens,
    Width,
    begin,
    heads,
    with_dev,
)

if TYPE_CHECKING:
    from assistant.training.federated.plan import Learning
    from assistant.training.federated.rounds import Begin

_SHIPPED = Path(__file__).parents[2] / "tasks" / "structuring" / "model"


def server(
    key: options.Own,
    sites: options.Sites,
    out: options.Out,
    host: options.Host = "127.0.0.1",
    port: options.Port = 8443,
    start: Start = None,
    layers: Layers = 4,
    width: Width = 256,
    rounds: options.Rounds = 30,
    epochs: options.EpochsARound = 1.0,
    tokens: Tokens = 4_096,
    rate: Rate = 5e-4,
    head_rate: HeadRate = 2e-3,
    dropout: Dropout = 0.1,
    hidden: Hidden = 0.0,
    mu: Annotated[
        float, typer.Option(min=0, help="FedProx: pull back to the common weights; 0: FedAvg.")
    ] = 0.0,
    least: options.Least = 2,
    wait: options.Wait = 600.0,
    patience: options.PatienceOfRound = 3_600.0,
    bound: options.Bound = 5.0,
    clip: options.Clip = 0.0,
    noise: options.Noise = 0.0,
    seed: Seed = 1,
) -> None:
    """Coordinate: average what the sites learn, refuse what is out of bounds, write the model.

    协调方：汇总各院权重更新，拒绝异常更新；中断后再次运行即可继续。
    """
    coordinating = sides.Coordinating(
        key, sites, out, host, port, least, wait, patience, bound, rounds, clip, noise
    )
    begin(1)
    from assistant.training.federated import ner_party
    from assistant.training.federated.ner_plan import NerPlan
    from assistant.training.federated.plan import Learning

    learning = Learning(
        rounds=rounds, epochs=epochs, tokens=tokens, rate=rate, head_rate=head_rate,
        dropout=dropout, hidden=hidden, mu=mu, clip=clip, seed=seed,
    )  # fmt: skip
    federation = coordinating.run(_begin(learning, start, layers, width))
    assert isinstance(federation.plan, NerPlan)
    f1, above = federation.result
    ner_party.write(out, federation.best, federation.plan, above, f1)
    say(f"已写入 written: {out}; dev F1 {f1:.4f}, threshold {above}")


def site(
    address: options.Address,
    key: options.Own,
    coordinator: options.Coordinator,
    train: Set,
    out: options.Common,
    dev: Annotated[
        list[str] | None, typer.Option(help="As --train; default: the last tenth of it.")
    ] = None,
    patience: options.PatienceOfLine = 600.0,
    pause: options.Pause = 2.0,
    threads: Threads = 0,
) -> None:
    """Take part: learn on this hospital's documents, send weights only, get the common model.

    站点：在本院数据上训练，只发送权重更新与计数；中断后再次运行即可继续。
    """
    begin(threads)
    from assistant.training.federated.ner_party import NerParty

    training, held = with_dev(train, dev)
    party = NerParty(
        [one for group in training.values() for one in group],
        [one for group in held.values() for one in group],
    )
    made = sides.take_part(address, key, coordinator, party, out, patience=patience, pause=pause)
    say(f"已写入 written: {made}\n下一步 next: bedside train score {made} --test FILE")


def _begin(learning: Learning, start: Path | None, layers: int, width: int) -> Begin:
    """How the common model begins: the encoder in ``start``, or nothing and the vocabulary of the
    shipped model, so that no site's characters are told to the others."""
    from assistant.training.federated import ner_party
    from assistant.training.federated.members import Joined, labels
    from assistant.training.federated.message import Weights
    from assistant.training.federated.ner_plan import NerPlan
    from serving.encoder.checkpoint import BertCheckpoint
    from serving.encoder.shape import Shape, SpanShape
    from serving.encoder.vocabulary import FILE_NAME, Vocabulary

    if start is not None:
        checkpoint = BertCheckpoint(start)
        words, shape = checkpoint.vocabulary, checkpoint.shape
        tensors = checkpoint.encoder_tensors()
    else:
        words = Vocabulary((_SHIPPED / FILE_NAME).read_text("utf-8").split("\n")[:-1])
        shape = Shape(len(words), width, layers, heads(width), 4 * width, 256)
        tensors = {}

    def made(joined: dict[str, Joined]) -> tuple[NerPlan, Weights]:
        names, nested = labels(list(joined.values()))
        total = sum(one.characters for one in joined.values())
        span = SpanShape(names, nested=nested)
        plan = NerPlan(learning, shape, span, words.pieces, words.settings(), total)
        return plan, ner_party.begin(plan, tensors)

    return made
