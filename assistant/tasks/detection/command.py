"""``bedside detect IMAGE``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def detect(
    image: Annotated[Path, typer.Argument(help="CT: DICOM series (folder or zip), NIfTI or NRRD.")],
    threshold: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Least score that is told; default: the shipped one."),
    ] = None,
    modality: Annotated[
        str, typer.Option(help="Of NIfTI and NRRD, which do not say.", show_default=False)
    ] = "CT",
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output.")] = False,
) -> None:
    """Nodules of the lungs in a CT: size, place, density, category; for research only."""
    from assistant.commands.progress import console, progress
    from assistant.imaging.source import known_as, read_image
    from assistant.tasks.detection.draft import RESEARCH_ZH
    from assistant.tasks.detection.nodules import nodules
    from assistant.tasks.detection.report import report
    from assistant.tasks.detection.run import method

    volume = known_as(read_image(image), modality)
    with progress() as told:
        found, _ = nodules(volume, told, threshold)
    statements = report(found, volume.series or "image", [None] * len(found))
    if as_json:
        answer = {
            "notice": RESEARCH_ZH,
            "method": method(),
            "detections": [one.model_dump(mode="json") for one in found],
            "report": "\n".join(one.text for one in statements),
            "statements": [one.model_dump(mode="json") for one in statements],
        }
        print(json.dumps(answer, ensure_ascii=False, indent=1))
        return
    console.print(f"{RESEARCH_ZH} {method()}")
    for one in statements:
        print(one.text)
