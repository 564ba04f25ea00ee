"""``bedside detect IMAGE``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from assistant.tasks.detection.marking import ModelDetector


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
    second: Annotated[
        str,
        typer.Option(
            help="A 3-D classifier that looks at every nodule again: a name, or its folder.",
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
    from assistant.settings import Settings
    from assistant.tasks.detection.draft import RESEARCH_ZH
    from assistant.tasks.detection.nodules import nodules
    from assistant.tasks.detection.report import report
    from assistant.tasks.detection.run import method
    from assistant.tasks.detection.second import open_second

    if model:
        _marks(image, model, threshold, modality, as_json)
        return
    looks = open_second(second, Settings().home) if second else None
    volume = known_as(read_image(image), modality or "CT")
    with progress() as told:
        found, _ = nodules(volume, told, threshold, looks)
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
    from assistant.imaging.slide import is_slide
    from assistant.settings import Settings
    from assistant.tasks.detection.draft import RESEARCH_ZH
    from assistant.tasks.detection.marking import open_detector
    from assistant.tasks.detection.marks_report import marks_report, region_of

    detector = open_detector(model, Settings().home)
    if is_slide(image):
        _slide(image, detector, threshold, as_json)
        return
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


def _slide(image: Path, detector: ModelDetector, threshold: float | None, as_json: bool) -> None:
    """Counts a class and a mm² of tissue; all boxes in JSON, in the slide's own pixels."""
    from assistant.commands.progress import console, progress
    from assistant.imaging.slide import Slide
    from assistant.tasks.detection.draft import RESEARCH_ZH
    from assistant.tasks.detection.slide_marks import per_class, slide_marks

    names = tuple(one.name for one in detector.detector.opened.description.classes)
    with Slide(image) as slide, progress() as told:
        made = slide_marks(detector.detector, slide, threshold, told)
    counts = per_class(made, names)
    if as_json:
        found = made.found
        answer = {
            "notice": RESEARCH_ZH,
            "method": detector.name,
            "sha256": detector.detector.opened.digest,
            "tissue_mm2": made.tissue_mm2,
            "complete": made.complete,
            "counts": [
                {"label": name, "count": count, "per_mm2": density}
                for name, count, density in counts
            ],
            "boxes": [
                {
                    "label": names[at] if at < len(names) else f"class {at}",
                    "score": round(float(score), 4),
                    "corners": [round(float(one), 1) for one in box],
                }
                for box, score, at in zip(found.corners, found.scores, found.numbers, strict=True)
            ],
        }
        print(json.dumps(answer, ensure_ascii=False))
        return
    console.print(f"{RESEARCH_ZH} {detector.name}")
    for name, count, density in counts:
        print(f"{name}\t{count}" + ("" if density is None else f"\t{density}/mm²"))
