"""``bedside train segmentation`` and ``bedside train organs``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from assistant.commands import out_folder
from assistant.commands.checkpoint import say
from assistant.commands.live_line import live_line
from assistant.commands.progress import progress
from assistant.commands.train.options import Numbers, Out, Seed, Threads, begin


def segmentation(
    folder: Annotated[
        Path, typer.Argument(help="images/ and masks/, or NAME beside NAME_mask: NIfTI, NRRD, PNG.")
    ],
    out: Out,
    network: Annotated[
        Literal["unet", "dense-unet", "vnet", "unet3d"],
        typer.Option(help="unet and dense-unet go slice by slice."),
    ] = "unet",
    names: Annotated[
        str, typer.Option(help="Of the structures, by rising value in the masks: 肝,脾.")
    ] = "",
    modality: Annotated[str, typer.Option(help="Of the images: CT or MR.")] = "",
    width: Annotated[int, typer.Option(min=4, max=128, help="Channels of the first level.")] = 16,
    levels: Annotated[int, typer.Option(min=2, max=6)] = 4,
    patch: Annotated[
        str, typer.Option(help="Slices, rows, columns, as 64,96,96; default: by the images.")
    ] = "",
    epochs: Annotated[int, typer.Option(min=1)] = 30,
    steps: Annotated[int, typer.Option(min=1, help="An epoch has so many.")] = 40,
    batch: Annotated[int, typer.Option(min=1, help="Patches a step.")] = 8,
    rate: Annotated[float, typer.Option(help="Highest learning rate.")] = 2e-3,
    held: Annotated[
        float, typer.Option(min=0, max=0.9, help="Share of the cases that the model is tested on.")
    ] = 0.2,
    mirror: Annotated[
        bool, typer.Option(help="Mirror left and right by chance: only without sided structures.")
    ] = False,
    licence: Annotated[str, typer.Option(help="The model's licence, as shown to users.")] = "",
    numbers: Numbers = "auto",
    seed: Seed = 1,
    threads: Threads = 0,
) -> None:
    """Train a segmentation network on your own images and masks; a killed run goes on.

    用自己的图像和掩膜训练分割模型；输出可直接用于 bedside segment，并附模型卡片。
    """
    begin(threads)
    from assistant.training.segmentation.patches import Augmentation
    from assistant.training.segmentation.training import Settings, train

    asked = Settings(
        network,
        width,
        levels,
        _sizes(patch, network, levels),
        epochs,
        steps,
        batch,
        rate,
        held,
        Augmentation(mirror=mirror),
        numbers,
        seed,
        modality.upper(),
        tuple(one.strip() for one in names.replace("，", ",").split(",") if one.strip()),
        licence,
    )
    out_folder.make(out)
    with progress() as reading, live_line() as tell:
        made = train(folder, out, asked, reading, tell)
    say(
        f"留出病例 held-out cases: Dice {made.dice:.4f}\n"
        f"已写入 written: {out} (model-card.md)\n"
        f"下一步 next: bedside segment IMAGE --model {out} --out mask.nii.gz"
    )


def organs(
    out: Annotated[Path, typer.Option(help="Folder to make: images/ and masks/.")],
    count: Annotated[int, typer.Option(min=1, max=10_000)] = 20,
    seed: Seed = 1,
) -> None:
    """Make volumes with invented organs and their masks, to try training with.

    生成带标注的虚拟器官图像，用于试跑训练。
    """
    from assistant.training.segmentation.simulation import NAMES, write

    out_folder.make(out)
    write(out, count, seed=seed)
    listed = ",".join(NAMES[1:])
    say(f"已写入 written: {out}\nbedside train segmentation {out} --names {listed} --out DIR")


def _sizes(text: str, network: str, levels: int) -> tuple[int, int, int] | None:
    """``64,96,96`` → sizes that the network can halve often enough."""
    if not text:
        return None
    parts = text.replace("，", ",").split(",")
    least = 2 ** (levels - 1)
    if len(parts) != 3 or not all(one.strip().isdecimal() and int(one) for one in parts):
        raise typer.BadParameter("--patch 须为三个正整数，如 64,96,96。(Three sizes, please.)")
    first, second, third = (int(one) for one in parts)
    flat = network in ("unet", "dense-unet")
    halved = (second, third) if flat else (first, second, third)
    if any(one % least for one in halved) or (flat and first != 1):
        raise typer.BadParameter(
            f"--patch 的大小须为 {least} 的倍数，二维网络的层数须为 1。"
            f"(Sizes must be multiples of {least}; the first is 1 for a 2-D network.)"
        )
    return first, second, third
