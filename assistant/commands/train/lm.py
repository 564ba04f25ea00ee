"""``bedside train lm``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from assistant.commands import out_folder
from assistant.commands.checkpoint import say
from assistant.commands.live_line import live_line
from assistant.commands.train.options import Numbers, Out, Seed, Threads, begin

if TYPE_CHECKING:
    from assistant.training.lm.lines import Row

Files = Annotated[
    list[Path],
    typer.Option(
        exists=True, help="JSON lines (chat, PromptCBLUE, preferences), or text. Repeatable."
    ),
]
_HELD, _HELD_LEAST, _HELD_MOST = 0.05, 1, 64


def lm(
    model: Annotated[
        Path,
        typer.Option(exists=True, help="A Hugging Face folder, or a GGUF file of qwen2."),
    ],
    data: Files,
    out: Out,
    method: Annotated[
        Literal["sft", "dpo", "kto", "pretrain"],
        typer.Option(help="Answers; preferences; likes and dislikes; text alone."),
    ] = "sft",
    held: Annotated[
        list[Path] | None,
        typer.Option(
            exists=True, help="Lines to measure the loss on; default: a twentieth of --data."
        ),
    ] = None,
    apart: Annotated[
        list[Path] | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="Evaluation sets: what shares text with them is left out. Repeatable.",
        ),
    ] = None,
    rank: Annotated[int, typer.Option(min=1, max=512, help="Rank of LoRA.")] = 8,
    alpha: Annotated[float, typer.Option(min=0.1, help="Its alpha.")] = 16.0,
    target: Annotated[
        list[str] | None,
        typer.Option(help="Modules that are changed; default: all seven of a layer. Repeatable."),
    ] = None,
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
    named: Annotated[
        bool, typer.Option("--named", help="Train on lines in which names were found.")
    ] = False,
    seed: Seed = 1,
    threads: Threads = 0,
) -> None:
    """Tune a language model by LoRA; needs no GPU. A run that was killed goes on.

    用 LoRA 微调语言模型：监督、偏好（DPO、KTO）或继续预训练；中断后再次运行即可继续。
    """
    begin(threads)
    out_folder.check(out)
    _needs_peft()
    from assistant.training.lm import card, screening
    from assistant.training.lm.base_model import memory_needed, open_base, refuse_too_large
    from assistant.training.lm.lines import read, texts_of, without
    from assistant.training.lm.run import coded, train
    from assistant.training.lm.settings import TARGETS, LmSettings
    from assistant.training.lm.tokens import Coder

    settings = LmSettings(
        method=method, epochs=epochs, tokens=max(tokens, 16), length=length, rank=rank,
        alpha=alpha, targets=tuple(target or TARGETS), dora=dora, rate=rate, beta=beta,
        numbers=numbers, checkpointing=checkpointing, seed=seed, save_every=save_every,
    )  # fmt: skip
    rows = read(data, method)
    files = screening.facts_of(data)
    if not named and not all(one["deidentified"] for one in files):
        screening.refuse_named(rows)
    rows, overlapping = without(rows, (text for file in apart or [] for text in texts_of(file)))
    kept_apart = read(held, method) if held else []
    if not kept_apart:
        rows, kept_apart = _held_out(rows)
    else:
        rows, more = without(rows, (row.content for row in kept_apart))
        overlapping += more
    say(
        f"样本 lines: {len(rows)}，留出 held out {len(kept_apart)}，"
        f"重叠剔除 overlapping {overlapping}"
    )
    base = open_base(model, numbers)
    coder = Coder(base.tokenizer, length)
    learned, measured = coded(rows, coder, settings), coded(kept_apart, coder, settings)
    needed = memory_needed(base.model, settings, learned)
    say(f"约需内存 memory: {needed / 2**30:.1f} GiB（{base.numbers}）")
    refuse_too_large(needed)
    identity = " ".join(one["sha256"] for one in files) + f" {len(learned)}"
    with live_line() as report:
        made = train(base, learned, measured, coder.pad, out, settings, report, identity, model)
    about = {"lines": len(learned), "held": len(measured), "overlapping": overlapping,
             "files": files}  # fmt: skip
    facts = {"name": model.resolve().name, "fingerprint": base.fingerprint,
             "numbers": base.numbers}  # fmt: skip
    card.write(made, settings, about, facts)
    say(
        f"已写入 written: {out}（{made.tokens:,} tokens，{made.seconds:.0f} s；"
        f"留出损失 held-out loss {made.before:.4f} → {made.after:.4f}）\n"
        f"下一步 next: bedside model convert {model} --adapter {out} --out DIR"
    )


def _held_out(rows: list[Row]) -> tuple[list[Row], list[Row]]:
    """Every so manyth row is held out; of few rows one."""
    count = min(_HELD_MOST, max(_HELD_LEAST, round(len(rows) * _HELD)))
    if len(rows) < 2:
        return rows, []
    places = {round((number + 0.5) * len(rows) / count) for number in range(count)}
    return (
        [row for place, row in enumerate(rows) if place not in places],
        [row for place, row in enumerate(rows) if place in places],
    )


def _needs_peft() -> None:
    from assistant.commands.train.options import TrainingUnavailable

    try:
        import peft  # noqa: F401
        import transformers  # noqa: F401
    except ImportError as error:
        raise TrainingUnavailable(
            f"微调语言模型需要 {error.name}：pip install 'bedside[train]' "
            f"(Tuning a language model needs {error.name}, which is not installed.)"
        ) from error
