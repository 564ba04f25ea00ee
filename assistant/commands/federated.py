"""``bedside federated``: one model from several hospitals, without a record leaving any."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.commands.checkpoint import say
from assistant.commands.live_line import live_line
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
    from assistant.training.federated.message import Weights
    from assistant.training.federated.plan import Learning, Plan
    from assistant.training.federated.rounds import Begin

app = typer.Typer(
    no_args_is_help=True,
    help="联邦训练 federated training: keys, server, site (pip install 'bedside\\[train]').",
)

Own = Annotated[
    Path,
    typer.Option("--key", exists=True, dir_okay=False, help="NAME.key; NAME.pem lies beside it."),
]
_SHIPPED = Path(__file__).parents[1] / "tasks" / "structuring" / "model"


@app.command(
    epilog="例 Examples: bedside federated keys coordinator --host fed.example.cn --out keys\n\n"
    "bedside federated keys hospital-a --out keys"
)
def keys(
    name: Annotated[str, typer.Argument(help="Of the coordinator, or of a hospital.")],
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("."),
    host: Annotated[
        list[str] | None, typer.Option(help="Coordinator: name or address that sites use.")
    ] = None,
) -> None:
    """Make a key, which stays where it is, and a certificate to give to the others.

    生成本方密钥（留在本地）与证书（交给对方）。
    """
    from assistant.training.federated.keys import make

    if not name.replace("-", "").replace("_", "").isalnum():
        raise typer.BadParameter("letters, digits, - and _ only", param_hint="NAME")
    certificate, key = make(out, name, host or ())
    say(f"{certificate}：交给对方 (give this to the others)\n{key}：不得外传 (keep this)")


@app.command(
    epilog="例 Example: bedside federated server --key keys/coordinator.key --sites sites "
    "--out common --host 0.0.0.0 --rounds 20"
)
def server(
    key: Own,
    sites: Annotated[
        Path, typer.Option(exists=True, file_okay=False, help="NAME.pem of each site allowed.")
    ],
    out: Annotated[Path, typer.Option(help="Folder of the model; a killed run goes on there.")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8443,
    start: Start = None,
    layers: Layers = 4,
    width: Width = 256,
    rounds: Annotated[int, typer.Option(min=1, help="Times that weights are averaged.")] = 30,
    epochs: Annotated[
        float,
        typer.Option(min=0.01, help="Of a site in each round; 0.1: averaged ten times an epoch."),
    ] = 1.0,
    tokens: Tokens = 4_096,
    rate: Rate = 5e-4,
    head_rate: HeadRate = 2e-3,
    dropout: Dropout = 0.1,
    hidden: Hidden = 0.0,
    mu: Annotated[
        float, typer.Option(min=0, help="FedProx: pull back to the common weights; 0: FedAvg.")
    ] = 0.0,
    least: Annotated[int, typer.Option(min=1, help="Sites that a round needs.")] = 2,
    wait: Annotated[float, typer.Option(min=0, help="Seconds for all sites to join.")] = 600.0,
    patience: Annotated[
        float, typer.Option(min=1, help="Seconds for all to answer; then it goes on without.")
    ] = 3_600.0,
    bound: Annotated[
        float,
        typer.Option(
            min=0, help="Refuse an update so many times longer than the middle one; 0: none."
        ),
    ] = 5.0,
    clip: Annotated[
        float, typer.Option(min=0, help="Longest update that counts in full; with --noise.")
    ] = 0.0,
    noise: Annotated[
        float, typer.Option(min=0, help="Gaussian noise, in units of --clip; says its ε.")
    ] = 0.0,
    seed: Seed = 1,
) -> None:
    """Coordinate: average what the sites learn, refuse what is out of bounds, write the model.

    协调方：汇总各院权重更新，拒绝异常更新；中断后再次运行即可继续。
    """
    begin(1)
    from assistant.training.federated import keys as certificates
    from assistant.training.federated import local
    from assistant.training.federated.averaging import Privacy
    from assistant.training.federated.members import Rules
    from assistant.training.federated.plan import Learning
    from assistant.training.federated.privacy import epsilon
    from assistant.training.federated.rounds import Federation
    from assistant.training.federated.server import Coordinator, serve

    if noise and not clip:
        raise typer.BadParameter("--noise needs --clip")
    learning = Learning(
        rounds=rounds, epochs=epochs, tokens=tokens, rate=rate, head_rate=head_rate,
        dropout=dropout, hidden=hidden, mu=mu, clip=clip, seed=seed,
    )  # fmt: skip
    allowed = certificates.allowed(sites)
    rules = Rules(tuple(allowed), min(least, len(allowed)), wait, patience, bound)
    privacy = Privacy(clip, noise) if clip else None
    federation = Federation(rules, out, _begin(learning, start, layers, width), privacy)
    context = certificates.context(True, key.with_suffix(".pem"), key, list(allowed.values()))
    coordinator = Coordinator((host, port), context, certificates.prints(allowed), federation)
    say(f"https://{host}:{coordinator.server_address[1]}  {', '.join(allowed)}")
    if privacy is not None:
        spent = epsilon(noise, rounds)
        say(f"差分隐私 differential privacy, a site as the unit: ε = {spent:.3g}, δ = 1e-05")
    with live_line() as tell:
        serve(coordinator, tell)
    assert federation.plan is not None
    f1, above = federation.result
    local.write(out, federation.best, federation.plan, above, f1)
    for one in federation.history:
        for name, why in one.refused.items():
            say(f"第 {one.number} 轮 round {one.number}: {name}: {why}")
    say(f"已写入 written: {out}; dev F1 {f1:.4f}, threshold {above}")


@app.command(
    epilog="例 Example: bedside federated site https://fed.example.cn:8443 "
    "--key keys/hospital-a.key --coordinator coordinator.pem "
    "--train train.bio.txt --dev dev.bio.txt --out common"
)
def site(
    address: Annotated[str, typer.Argument(help="https://… of the coordinator.")],
    key: Own,
    coordinator: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help="The coordinator's certificate.")
    ],
    train: Set,
    out: Annotated[Path, typer.Option(help="Folder of the common model, when it is ready.")],
    dev: Annotated[
        list[str] | None, typer.Option(help="As --train; default: the last tenth of it.")
    ] = None,
    patience: Annotated[
        float, typer.Option(min=0, help="Seconds to try again when the line breaks.")
    ] = 600.0,
    pause: Annotated[float, typer.Option(min=0.05, help="Seconds between two questions.")] = 2.0,
    threads: Threads = 0,
) -> None:
    """Take part: learn on this hospital's documents, send weights only, get the common model.

    站点：在本院数据上训练，只发送权重更新与计数；中断后再次运行即可继续。
    """
    begin(threads)
    from assistant.training.federated.keys import context
    from assistant.training.federated.site import Line, take_part

    training, held = with_dev(train, dev)
    line = Line(address, context(False, key.with_suffix(".pem"), key, [coordinator]), patience)
    with live_line() as tell:
        made = take_part(
            line,
            [one for group in training.values() for one in group],
            [one for group in held.values() for one in group],
            out,
            tell,
            pause=pause,
        )
    if made.refused:
        say(
            f"本站点有 {made.refused} 轮被拒绝。({made.refused} updates of this site were refused.)"
        )
    say(
        f"已写入 written: {made.folder}\n下一步 next: bedside train score {made.folder} --test FILE"
    )


def _begin(learning: Learning, start: Path | None, layers: int, width: int) -> Begin:
    """How the common model begins: the encoder in ``start``, or nothing and the vocabulary of the
    shipped model, so that no site's characters are told to the others."""
    from assistant.training.federated import local
    from assistant.training.federated.members import Joined, labels
    from assistant.training.federated.plan import Plan
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

    def made(joined: dict[str, Joined]) -> tuple[Plan, Weights]:
        names, nested = labels(list(joined.values()))
        total = sum(one.characters for one in joined.values())
        span = SpanShape(names, nested=nested)
        plan = Plan(learning, shape, span, words.pieces, words.settings(), total)
        return plan, local.begin(plan, tensors)

    return made
