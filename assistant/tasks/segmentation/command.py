"""``bedside segment IMAGE --model NAME|FOLDER --out FILE``."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from assistant.tasks.segmentation.segmentation import Segmentation


class Precision(StrEnum):
    """In what numbers a network computes; auto: measured on the first image."""

    AUTO = "auto"
    F32 = "f32"
    BF16 = "bf16"
    INT8 = "int8"


def segment(
    image: Annotated[Path, typer.Argument(help="DICOM series (folder or zip), NIfTI, NRRD, PNG.")],
    model: Annotated[
        str,
        typer.Option(help="A name of `bedside model list`, a model's folder, or ct-classical."),
    ] = "brain-subcortical",
    out: Annotated[
        Path | None,
        typer.Option(
            help="The mask on the image's own grid: .nii.gz or .nrrd; vessels of lungs come in a "
            "second one, -inside."
        ),
    ] = None,
    modality: Annotated[
        str, typer.Option(help="Of NIfTI and NRRD, which do not say: CT or MR.")
    ] = "",
    precision: Annotated[
        Precision, typer.Option(help="auto measures once on this processor and keeps the choice.")
    ] = Precision.AUTO,
    threads: Annotated[int, typer.Option(min=0, help="0: all cores.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One object on standard output.")] = False,
) -> None:
    """Structures of an image with their volumes, left and right; for research only.

    影像分割：各结构及左右体积；科研用途，不得用于诊疗。
    """
    from assistant.commands.progress import console, progress
    from assistant.imaging.source import known_as, read_image
    from assistant.settings import Settings
    from assistant.tasks.segmentation import mask_file
    from assistant.tasks.segmentation.segmenting import open_segmenter

    if out is not None:
        mask_file.check(out)
    segmenter = open_segmenter(model, Settings().home, precision.value, threads)
    volume = known_as(read_image(image), modality)
    with progress() as report:
        found = segmenter.segment(volume, report)
    if out is not None:
        mask_file.write(out, found.labels, volume.grid, found.structures)
        if found.inner is not None:
            mask_file.write(mask_file.inside(out), found.inner, volume.grid, found.structures)
    if as_json:
        print(json.dumps(_plain(found), ensure_ascii=False, indent=1))
        return
    console.print(f"科研用途 Research only · {found.model} · {found.seconds:.1f} s")
    for one in found.structures:
        sides = ""
        if one.left_ml is not None and one.right_ml is not None:
            sides = f"\t左 L {one.left_ml:.2f}\t右 R {one.right_ml:.2f}"
        print(f"{one.label}\t{one.name_zh}\t{one.name}\t{one.code}\t{one.volume_ml:.2f} ml{sides}")


def _plain(found: Segmentation) -> dict[str, Any]:
    return {
        "notice": "科研用途，不得用于诊疗。(For research only, not for care.)",
        "model": found.model,
        "sha256": found.digest,
        "precision": found.precision,
        "seconds": round(found.seconds, 2),
        "structures": [one.model_dump() for one in found.structures],
    }
