"""``bedside train lm``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from assistant.commands import out_folder
from assistant.commands.checkpoint import say
from assistant.commands.live_line import live_line
from assistant.commands.train.options import Numbers, Out, Seed, Threads, begin

Data = Annotated[
    list[Path],
    typer.Option(
        exists=True, help="JSON lines (chat, PromptCBLUE, preferences), or text. Repeatable."
    ),
]
Held = Annotated[
    list[Path] | None,
    typer.Option(exists=True, help="Lines to measure the loss on; default: a twentieth of --data."),
]
Apart = Annotated[
    list[Path] | None,
    typer.Option(
        exists=True,
        dir_okay=False,
        help="Evaluation sets: what shares text with them is left out. Repeatable.",
    ),
]
Target = Annotated[
    list[str] | None,
    typer.Option(help="Modules that are changed; default: all seven of a layer. Repeatable."),
]
Named = Annotated[bool, typer.Option("--named", help="Train on lines in which names were found.")]


def lm(
    model: Annotated[
        Path,
        typer.Option(exists=True, help="A Hugging Face folder, or a GGUF file of qwen2."),
    ],
    data: Data,
    out: Out,
    method: Annotated[
        Literal["sft", "dpo", "kto", "pretrain"],
        typer.Option(help="Answers; preferences; likes and dislikes; text alone."),
    ] = "sft",
    held: Held = None,
    apart: Apart = None,
    rank: Annotated[int, typer.Option(min=1, max=512, help="Rank of LoRA.")] = 8,
    alpha: Annotated[float, typer.Option(min=0.1, help="Its alpha.")] = 16.0,
    target: Target = None,
    dora: Annotated[bool, typer.Option("--dora", help="DoRA (Liu et al. 2024).")] = False,
    epochs: Annotated[int, typer.Option(min=1)] = 1,
    tokens: Annotated[int, typer.Option(min=16, help="Tokens a step.")] = 1_024,
    length: Annotated[int, typer.Option(min=16, help="Tokens of a line at most.")] = 1_024,
    rate: Annotated[float, typer.Option(min=0, help="Highest learning rate.")] = 2e-4,
    beta: Annotated[float, typer.Option(min=0.001, help="Of DPO and KTO.")] = 0.1,
    checkpointing: Annotated[
        bool, typer.Option("--checkpointing", help="Less memory, a third more time.")
    ] = False,
    save_every: Annotated[int, typer.Option(min=1, help="Steps between two states kept.")] = 20,
    numbers: Numbers = "auto",
    named: Named = False,
    seed: Seed = 1,
    threads: Threads = 0,
) -> None:
    """Tune a language model by LoRA; needs no GPU. A run that was killed goes on.

    用 LoRA 微调语言模型：监督、偏好（DPO、KTO）或继续预训练；中断后再次运行即可继续。
    """
    begin(threads)
    out_folder.check(out)
    needs_peft()
    from assistant.training.lm import card
    from assistant.training.lm.base_model import memory_needed, open_base, refuse_too_large
    from assistant.training.lm.preparation import prepared
    from assistant.training.lm.run import coded, train
    from assistant.training.lm.settings import TARGETS, LmSettings
    from assistant.training.lm.tokens import Coder

    settings = LmSettings(
        method=method, epochs=epochs, tokens=max(tokens, 16), length=length, rank=rank,
        alpha=alpha, targets=tuple(target or TARGETS), dora=dora, rate=rate, beta=beta,
        numbers=numbers, checkpointing=checkpointing, seed=seed, save_every=save_every,
    )  # fmt: skip
    given = prepared(data, method, held or (), apart or (), named=named)
    say(str(given))
    base = open_base(model, numbers)
    coder = Coder(base.tokenizer, length)
    learned, measured = coded(given.rows, coder, settings), coded(given.held, coder, settings)
    needed = memory_needed(base.model, settings, learned)
    say(f"约需内存 memory: {needed / 2**30:.1f} GiB（{base.numbers}）")
    refuse_too_large(needed)
    identity = " ".join(one["sha256"] for one in given.files) + f" {len(learned)}"
    with live_line() as report:
        made = train(base, learned, measured, coder.pad, out, settings, report, identity, model)
    about = {"lines": len(learned), "held": len(measured), "overlapping": given.overlapping,
             "files": given.files}  # fmt: skip
    facts = {"name": model.resolve().name, "fingerprint": base.fingerprint,
             "numbers": base.numbers}  # fmt: skip
    card.write(made, settings, about, facts)
    say(
        f"已写入 written: {out}（{made.tokens:,} tokens，{made.seconds:.0f} s；"
        f"留出损失 held-out loss {made.before:.4f} → {made.after:.4f}）\n"
        f"下一步 next: bedside model convert {model} --adapter {out} --out DIR"
    )


def needs_peft() -> None:
    """Raise `TrainingUnavailable` where what tunes language models is not installed."""
    from assistant.commands.train.options import TrainingUnavailable

    try:
        import peft  # noqa: F401
        import transformers  # noqa: F401
    except ImportError as error:
        raise TrainingUnavailable(
            f"微调语言模型需要 {error.name}：pip install 'bedside[train]' "
            f"(Tuning a language model needs {error.name}, which is not installed.)"
        ) from error
