"""``bedside train export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from assistant.commands.checkpoint import megabytes, say
from assistant.commands.train.options import sets


def export(
    source: Annotated[
        Path, typer.Argument(metavar="SRC", exists=True, file_okay=False, help="A BERT folder.")
    ],
    out: Annotated[Path, typer.Option(help="Folder to make.")],
    weights: Annotated[
        Literal["fp32", "fp16", "int8"], typer.Option(help="How weights are stored.")
    ] = "fp32",
    calibration: Annotated[
        list[str] | None, typer.Option(help="INT8: annotated text to keep the F1 on, as --train.")
    ] = None,
    max_drop: Annotated[
        float, typer.Option(min=0, max=1, help="INT8: how much micro-F1 may be lost.")
    ] = 0.005,
    licence: Annotated[str, typer.Option(help="The model's licence, as shown to users.")] = "",
) -> None:
    """Make a trained model ready to run: OpenVINO IR, in INT8 by NNCF where asked. No PyTorch.

    把训练好的模型转换为 OpenVINO；INT8 需要 NNCF，并以标注数据控制精度损失。
    """
    from serving.encoder.convert import convert

    if weights != "int8":
        convert(source, out, licence=licence, compress=weights == "fp16")
        say(f"已写入 written: {out} ({_size(out)})")
        return
    if not calibration:
        raise typer.BadParameter("--weights int8 needs --calibration")
    from tempfile import TemporaryDirectory

    from assistant.training.calibration import quantize

    examples = [example for group in sets(calibration).values() for example in group]
    with TemporaryDirectory(prefix="bedside-") as folder:
        plain = convert(source, Path(folder) / source.name)
        made = quantize(plain, out, examples, max_drop, licence)
    say(
        f"已写入 written: {out} ({_size(out)}); F1 {made.before:.4f} → {made.after:.4f} on "
        f"{len(examples)} documents"
    )


def _size(folder: Path) -> str:
    return megabytes(sum(path.stat().st_size for path in folder.iterdir()))
