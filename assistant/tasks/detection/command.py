"""``bedside detect IMAGE``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def detect(
    image: Annotated[
        Path,
        typer.Argument(
            help="DICOM series (folder or zip), NIfTI or NRRD; PNG or JPEG too with --model."
        ),
    ],
    model: Annotated[
        str,
        typer.Option(
            help="A detector: a name of `bedside model list`, or its folder; default: "
            "nodules of the lungs.",
            show_default=False,
        ),
    ] = "",
    threshold: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Least score that is told; default: the shipped one."),
    ] = None,
    modality: Annotated[
        str, typer.Option(help="Of NIfTI and NRRD, which do not say.", show_default=False)
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output.")] = False,
) -> None:
    """Nodules of the lungs in a CT, or what a detector of your own marks; for research only."""
    from assistant.commands.progress import console, progress
    from assistant.imaging.source import known_as, read_image
    from assistant.tasks.detection.draft import RESEARCH_ZH
    from assistant.tasks.detection.nodules import nodules
    from assistant.tasks.detection.report import report
    from assistant.tasks.detection.run import method

    if model:
        _marks(image, model, threshold, modality, as_json)
        return
    volume = known_as(read_image(image), modality or "CT")
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


def _marks(image: Path, model: str, threshold: float | None, modality: str, as_json: bool) -> None:
    from assistant.commands.progress import console, progress
    from assistant.imaging import channels
    from assistant.settings import Settings
    from assistant.tasks.detection.draft import RESEARCH_ZH
    from assistant.tasks.detection.marking import open_detector
    from assistant.tasks.detection.marks_report import marks_report, region_of

    detector = open_detector(model, Settings().home)
    given = channels.read(image, modality)
    with progress() as told:
        marks = detector.marks(given, threshold, told)
    series = given.first.series or "image"
    said = marks_report(marks, detector.name, [region_of(one, series, None) for one in marks])
    if as_json:
        answer = {
            "notice": RESEARCH_ZH,
            "method": detector.name,
            "sha256": detector.detector.opened.digest,
            "marks": [one.model_dump(mode="json") for one in marks],
            "report": "\n".join(one.text for one in said),
            "statements": [one.model_dump(mode="json") for one in said],
        }
        print(json.dumps(answer, ensure_ascii=False, indent=1))
        return
    console.print(f"{RESEARCH_ZH} {detector.name}")
    for one in said:
        print(one.text)
