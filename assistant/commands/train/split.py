"""``bedside train split``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assistant.commands.checkpoint import say


def split(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="JSON lines with text, or BIO.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for train, dev and test.")],
    dev: Annotated[float, typer.Option(min=0, max=0.5, help="Share to choose by.")] = 0.1,
    test: Annotated[float, typer.Option(min=0, max=0.5, help="Share to test once.")] = 0.1,
    apart: Annotated[
        list[Path] | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="Other files that train shares no text with.",
        ),
    ] = None,
    run: Annotated[
        int, typer.Option(min=8, help="Characters in a row that two texts may not share.")
    ] = 40,
) -> None:
    """Split annotated documents by their order, into parts that share no text.

    按文档顺序切分标注数据；与开发集、测试集有相同文字的训练文档剔除。
    """
    from assistant.training.split import records, write
    from assistant.training.split import split as cut

    others = (record.text for path in apart or [] for record in records(path))
    parts = cut(records(file), dev, test, others, run)
    suffix = "".join(file.suffixes)
    out.mkdir(parents=True, exist_ok=True)
    for name, part in (("train", parts.train), ("dev", parts.dev), ("test", parts.test)):
        if part:
            write(out / f"{name}{suffix}", part)
            say(f"{out / name}{suffix}: {len(part)}")
    say(f"与其他部分有相同文字而剔除 left out, as they share text: {parts.left_out}")
