"""``bedside classify IMAGE --model FOLDER``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def classify(
    image: Annotated[
        Path, typer.Argument(help="DICOM (file, folder or zip), NIfTI, NRRD, PNG or JPEG.")
    ],
    model: Annotated[str, typer.Option(help="A name of `bedside model list`, or its folder.")],
    slice_number: Annotated[
        int | None,
        typer.Option(
            "--slice", min=1, help="Which slice of a volume a 2-D model is given, from 1."
        ),
    ] = None,
    heat: Annotated[
        Path | None, typer.Option(help="A PNG of the slice with the heat map on it.")
    ] = None,
    no_heat: Annotated[
        bool, typer.Option("--no-heat", help="Only probabilities, which is much quicker.")
    ] = False,
    modality: Annotated[str, typer.Option(help="Of files that do not say: CT, MR, DX.")] = "",
    threads: Annotated[int, typer.Option(min=0, help="0: all cores.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One object on standard output.")] = False,
) -> None:
    """How likely each class of an image is, and where it was seen; for research only.

    影像分类：校准后的概率与热图（遮挡法）；科研用途，不得用于诊疗。
    """
    from assistant.commands.progress import console, progress
    from assistant.imaging import channels
    from assistant.imaging.problem import ImageProblem
    from assistant.settings import Settings
    from assistant.tasks.classification.classifying import open_classifier
    from assistant.tasks.classification.heat_picture import heat_picture
    from assistant.tasks.classification.run import drafted

    if heat is not None and (heat.suffix.lower() != ".png" or not heat.parent.is_dir()):
        raise ImageProblem(
            "--heat 须是已有文件夹里以 .png 结尾的文件。",
            "--heat must end in .png and lie in a folder that exists.",
        )
    ready = open_classifier(model, Settings().home, threads)
    given = channels.read(image, modality)
    first = 0 if slice_number is None else slice_number - 1
    if slice_number is not None:
        given = given.slice(first)
    with progress() as report:
        found = ready.classify(given, heat=not no_heat, report=report)
    if heat is not None and found.heat is not None:
        heat.write_bytes(heat_picture(given, found.heat, found.seen)[0].png)
    draft = drafted(ready, found, None, first=first)
    if as_json:
        plain = draft.model_dump(
            mode="json",
            include={"notice", "network", "network_sha256", "temperature", "classes", "seen",
                     "seconds"},
        )  # fmt: skip
        plain["report"] = draft.plain_text()
        print(json.dumps(plain, ensure_ascii=False, indent=1))
        return
    console.print(f"科研用途 Research only · {draft.network} · {draft.seconds:.1f} s")
    for one in draft.classes:
        print(f"{one.probability:.4f}\t{one.name_zh or one.name}\t{one.code}")
    print(draft.plain_text())
