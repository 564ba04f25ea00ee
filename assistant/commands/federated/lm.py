"""``bedside federated lm server`` and ``site``: a LoRA adapter of a language model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assistant.commands.checkpoint import say
from assistant.commands.federated import options, sides
from assistant.commands.train.lm import Apart, Data, Held, Named, Target, needs_peft
from assistant.commands.train.options import Numbers, Seed, Threads, begin

Model = Annotated[
    Path,
    typer.Option(
        exists=True,
        help="The base, the same at every side: a Hugging Face folder, or a GGUF file of qwen2.",
    ),
]


def server(
    model: Model,
    key: options.Own,
    sites: options.Sites,
    out: options.Out,
    host: options.Host = "127.0.0.1",
    port: options.Port = 8443,
    rounds: options.Rounds = 10,
    epochs: options.EpochsARound = 0.2,
    rank: Annotated[int, typer.Option(min=1, max=512, help="Rank of LoRA.")] = 8,
    alpha: Annotated[float, typer.Option(min=0.1, help="Its alpha.")] = 16.0,
    target: Target = None,
    tokens: Annotated[int, typer.Option(min=64, help="Tokens a step of all sites.")] = 2_048,
    length: Annotated[int, typer.Option(min=16, help="Tokens of a line at most.")] = 1_024,
    rate: Annotated[float, typer.Option(min=0, help="Highest learning rate.")] = 2e-4,
    least: options.Least = 2,
    wait: options.Wait = 600.0,
    patience: options.PatienceOfRound = 14_400.0,
    bound: options.Bound = 5.0,
    clip: options.Clip = 0.0,
    noise: options.Noise = 0.0,
    seed: Seed = 1,
) -> None:
    """Coordinate: average the adapters that the sites learn, write the common one.

    协调方：汇总各院训练的 LoRA 适配器；中断后再次运行即可继续。
    """
    coordinating = sides.Coordinating(
        key, sites, out, host, port, least, wait, patience, bound, rounds, clip, noise
    )
    begin(1)
    needs_peft()
    from assistant.training.federated import lm_party
    from assistant.training.federated.lm_plan import LmPlan
    from assistant.training.federated.members import Joined
    from assistant.training.federated.message import Weights
    from assistant.training.federated.plan import Learning
    from assistant.training.lm.base_model import open_base
    from assistant.training.lm.settings import TARGETS

    base = open_base(model, "f32")
    learning = Learning(
        rounds=rounds, epochs=epochs, tokens=tokens, rate=rate, decay=0.0, clip=clip, seed=seed
    )

    def made(joined: dict[str, Joined]) -> tuple[LmPlan, Weights]:
        total = sum(one.characters for one in joined.values())
        targets = tuple(target or TARGETS)
        plan = LmPlan(learning, base.fingerprint, rank, alpha, targets, length, total)
        return plan, lm_party.begin(plan, base)

    federation = coordinating.run(made, base.fingerprint)
    assert isinstance(federation.plan, LmPlan)
    lm_party.write(out, federation.best, federation.plan, base, model)
    likelihood, _ = federation.result
    say(f"已写入 written: {out}; {federation.plan.measure} {likelihood:.4f}")
    _next(model, out)


def site(
    address: options.Address,
    model: Model,
    data: Data,
    key: options.Own,
    coordinator: options.Coordinator,
    out: options.Common,
    held: Held = None,
    apart: Apart = None,
    numbers: Numbers = "auto",
    named: Named = False,
    patience: options.PatienceOfLine = 600.0,
    pause: options.Pause = 2.0,
    threads: Threads = 0,
) -> None:
    """Take part: tune on this hospital's lines, send the adapter's change only, get the common one.

    站点：在本院数据上微调，只发送适配器的更新与计数；中断后再次运行即可继续。
    """
    begin(threads)
    needs_peft()
    from assistant.training.federated.lm_party import LmParty
    from assistant.training.lm.base_model import open_base
    from assistant.training.lm.preparation import prepared

    given = prepared(data, "sft", held or (), apart or (), named=named)
    say(str(given))
    party = LmParty(open_base(model, numbers), model, given.rows, given.held)
    made = sides.take_part(address, key, coordinator, party, out, patience=patience, pause=pause)
    say(f"已写入 written: {made}")
    _next(model, made)


def _next(model: Path, out: Path) -> None:
    say(f"下一步 next: bedside model convert {model} --adapter {out} --out DIR")
