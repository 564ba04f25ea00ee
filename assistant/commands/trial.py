"""``bedside model try``: precisions compared on one's own texts, before one is chosen."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from rich.table import Table

from assistant.commands.checkpoint import (
    Embedding,
    Family,
    Group,
    Head,
    Int8Share,
    Source,
    Symmetric,
    megabytes,
    say,
)
from assistant.commands.own_texts import own_texts
from assistant.commands.progress import console, progress
from assistant.settings import Settings
from serving.ir.formats import Precision, WeightKind
from serving.models.file_lock import FileLock

if TYPE_CHECKING:
    from serving.ir.trial import Outcome, Trial


def compare(
    source: Source,
    weights: Annotated[
        list[str] | None,
        typer.Option(
            metavar="int4|int8|fp16|bf16|fp32",
            help="A precision to try; give it several times. Default: int4 and int8.",
        ),
    ] = None,
    group: Group = 128,
    symmetric: Symmetric = False,
    int8_share: Int8Share = 0.0,
    head: Head = "int8",
    embedding: Embedding = "int8",
    text: Annotated[
        list[Path] | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="A text of yours, or .jsonl with one a line; several times. Default: our samples.",
        ),
    ] = None,
    tokens: Annotated[int, typer.Option(min=2, help="Tokens to score at most.")] = 2048,
    keep: Annotated[
        Path | None, typer.Option(help="Keep the converted folders in this folder.")
    ] = None,
    family: Family = "",
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Compare precisions on your own texts: perplexity, first choices, speed, memory, size.

    Each computes as it would be served on this machine.

    在自己的文本上比较各种精度：困惑度、首选词一致率、速度、内存和体积，据此决定用哪一种。
    """
    from serving.ir import trial

    chosen = Precision("int4", group, symmetric, int8_share, head, embedding)
    kinds = cast(list[WeightKind], weights or ["int4", "int8"])
    precisions = [replace(chosen, weights=kind) for kind in kinds]
    texts = own_texts(text)
    downloads = Settings().home / "downloads"
    scratch = keep or downloads / "trial"
    # One at a time: two would disturb each other's figures.
    with FileLock(downloads / ".trial.lock"), progress() as report:
        if keep is None:
            shutil.rmtree(scratch, ignore_errors=True)
        try:
            found = trial.compare(
                source,
                precisions,
                texts,
                scratch,
                report,
                family=family,
                keep=keep is not None,
                most_tokens=tokens,
            )
        finally:
            if keep is None:
                shutil.rmtree(scratch, ignore_errors=True)
    if as_json:
        print(json.dumps(_plain(asdict(found)), ensure_ascii=False, indent=1))
        return
    _show(found)
    if keep is not None:
        say(f"保留在 kept in: {keep}")


def _show(found: Trial) -> None:
    measured = [outcome for outcome in found.outcomes if not outcome.problem]
    names = (o.name + " *" * (o.name == found.reference) for o in measured)
    table = Table("", *names)
    rows: dict[str, Callable[[Outcome], str]] = {
        "困惑度 perplexity": lambda o: f"{o.perplexity:.3f}",
        "首选词一致 same first choice": lambda o: f"{o.agreement:.1%}",
        "读提示 prompt, tokens/s": lambda o: f"{o.prompt_speed:.0f}",
        "生成 decode, tokens/s": lambda o: f"{o.decode_speed:.1f}",
        "内存 resident memory": lambda o: megabytes(o.resident_bytes),
        "体积 weights on disk": lambda o: megabytes(o.stored_bytes),
        "转换 conversion, seconds": lambda o: f"{o.seconds_to_convert:.0f}",
    }
    for what, word in rows.items():
        table.add_row(what, *map(word, measured))
    console.print(table)
    say(f"* 参照 the others are compared with it, on {found.tokens} tokens.")
    for outcome in found.outcomes:
        if outcome.problem:
            say(f"{outcome.name}: 未测 not measured: {outcome.problem}")
    if found.note:
        say(found.note)


def _plain(found: dict[str, Any]) -> dict[str, Any]:
    """JSON has no number for what was not measured."""
    found["outcomes"] = [
        {
            key: None if isinstance(value, float) and math.isnan(value) else value
            for key, value in outcome.items()
        }
        for outcome in found["outcomes"]
    ]
    return found
